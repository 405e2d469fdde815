import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const INDEX = 'application/vnd.oci.image.index.v1+json'
const EMPTY_TAR = gzipSync(Buffer.alloc(1024))

interface Described {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

/**
 * A registry that says `text` wherever it may say what it likes: `images:v1` an index with an image, an artifact and something
 * unknown in it, what refers to them, and tags; `files:v1` an artifact; `refused` answers with errors.
 */
export async function startHostileRegistry(text: string): Promise<SpecRegistry> {
  const registry = await startSpecRegistry()
  const blobs = new Map<string, Buffer>()
  const manifests: { digest: string; mediaType: string; bytes: Buffer }[] = []
  const blob = (mediaType: string, content: Buffer | object): Described => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content))
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const manifest = (mediaType: string, document: object): Described => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document }))
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    manifests.push({ digest, mediaType, bytes })
    return { mediaType, digest, size: bytes.length }
  }
  const annotations = { [text]: text, 'org.opencontainers.image.title': text, 'org.opencontainers.image.version': text }
  const layer = { ...blob(`application/vnd.oci.image.layer.v1.tar+gzip`, EMPTY_TAR), annotations }
  const diffID = `sha256:${createHash('sha256').update(Buffer.alloc(1024)).digest('hex')}`
  const config = {
    ...{ os: 'linux', architecture: 'amd64', created: text, author: text, variant: text },
    config: {
      ...{ User: text, WorkingDir: text, Entrypoint: [text], Cmd: [text], Env: [`A=${text}`], StopSignal: text },
      ...{ ExposedPorts: { [text]: {} }, Volumes: { [text]: {} }, Labels: { [text]: text } },
    },
    rootfs: { type: 'layers', diff_ids: [diffID] },
    history: [{ created_by: text, comment: text }],
  }
  const image = manifest(MANIFEST, {
    config: blob('application/vnd.oci.image.config.v1+json', config),
    layers: [layer],
    annotations,
  })
  const empty = blob('application/vnd.oci.empty.v1+json', {})
  const file = { ...blob(text, Buffer.from('x')), annotations }
  const artifact = manifest(MANIFEST, { artifactType: text, config: empty, layers: [file], annotations })
  const bundle = 'application/vnd.dev.sigstore.bundle.v0.3+json'
  for (const artifactType of [text, bundle]) {
    const said = { ...annotations, 'dev.sigstore.bundle.predicateType': text, 'dev.sigstore.bundle.content': text }
    manifest(MANIFEST, {
      ...{ artifactType, subject: image, config: empty, annotations: said },
      layers: [{ ...file, mediaType: artifactType }],
    })
  }
  const unknown = { ...blob(text, Buffer.from('y')), annotations }
  const platform = { os: text, architecture: text, variant: text, 'os.version': text }
  const index = manifest(INDEX, {
    manifests: [
      { ...image, platform: { os: 'linux', architecture: 'amd64' }, annotations },
      { ...artifact, artifactType: text, annotations },
      { ...unknown, platform },
    ],
    annotations,
  })
  const files = manifests.filter(({ digest }) => digest !== artifact.digest)
  registry.seed('images', {
    blobs,
    manifests,
    tags: new Map([
      ['v1', index.digest],
      ['one', image.digest],
    ]),
  })
  registry.seed('files', { blobs, manifests, tags: new Map([['v1', artifact.digest]]) })
  registry.seed('tagged', {
    blobs,
    manifests: files,
    tags: new Map([
      ['v1', image.digest],
      [text, image.digest],
    ]),
  })
  const body = JSON.stringify({ errors: [{ code: text, message: text, detail: { [text]: text } }] })
  registry.fail({ path: '/refused/', times: Infinity }, { status: 403, body, headers: headersOf(text) })
  return registry
}

/** What of a text can be in a header at all. */
function headersOf(text: string): Readonly<Record<string, string>> {
  const said = text.replace(/[^\t\u0020-\u007e\u0080-\u00ff]/g, '?')
  return {
    'content-type': 'application/json',
    warning: `299 - "${said.replaceAll(/["\\]/g, '')}"`,
    'x-request-id': said,
    'docker-distribution-api-version': said,
  }
}
