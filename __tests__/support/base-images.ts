import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Architecture } from './base-tree.ts'
import { baseLayers, cached, etcLayer } from './base-tree.ts'
import { run, skopeoInspectRaw, temporaryDirectory } from './peers.ts'

/**
 * Base images as others make them: written by other people's tools, so that we never read only what we wrote.
 *
 * They go to a registry that lets everybody in. A `reference` is `127.0.0.1:port/repository:tag`; other tags of the
 * repository come to be on the way. But for those of `pushArmVariants` and `pushDebian` the images have the tree of
 * base-tree.ts, with a busybox that runs. All have the variables `PATH` and `BASE=yes`, the command `/bin/sh` and the
 * label `base.label=kept`.
 */

/** Whose media types. */
export type Family = 'oci' | 'docker'

const BOTH = ['linux/amd64', 'linux/arm64'] as const

/** An index, or Docker's manifest list, of amd64 and arm64. crane makes it. */
export async function pushIndex(reference: string, { family = 'oci' }: { family?: Family } = {}): Promise<void> {
  const children = []
  for (const platform of BOTH) children.push(await pushChild(reference, platform, family))
  await appendIndex(reference, children, family)
}

/** An index whose only entry is an index of both platforms: legal, and refused by some tools. crane makes it. */
export async function pushNestedIndex(reference: string): Promise<void> {
  const inner = `${reference}-inner`
  await pushIndex(inner)
  await run('crane', ['index', 'append', '--flatten=false', '--manifest', inner, '--tag', reference])
}

/** An index of both platforms with an attestation each, as BuildKit puts them there. crane and regctl make it. */
export async function pushAttestedIndex(reference: string): Promise<void> {
  await pushIndex(reference)
  const index = JSON.parse(await skopeoInspectRaw(reference)) as { manifests: readonly { digest: string }[] }
  for (const { digest } of index.manifests) {
    const attestation = await pushAttestation(reference, digest)
    const annotations = [`vnd.docker.reference.type=attestation-manifest`, `vnd.docker.reference.digest=${digest}`]
    const described = annotations.flatMap(annotation => ['--desc-annotation', annotation])
    const entry = ['--digest', attestation, '--desc-platform', 'unknown/unknown', ...described]
    await regctl(reference, ['index', 'add', reference, ...entry])
  }
}

/** An index of arm in two variants and of arm64 that says `v8`; only their `/etc/os-release` differs. crane makes it. */
export async function pushArmVariants(reference: string): Promise<void> {
  const children = []
  for (const platform of ['linux/arm/v6', 'linux/arm/v7', 'linux/arm64/v8']) {
    children.push(await pushChild(reference, platform, 'oci', [await etcLayer(`ID=${platform}\n`)]))
  }
  await appendIndex(reference, children, 'oci')
}

/** The manifest of one platform, without an index around it. buildah makes it: the lowest layer, and a history. */
export async function pushManifest(
  reference: string,
  { family = 'oci', architecture = 'amd64' }: { family?: Family; architecture?: Architecture } = {},
): Promise<void> {
  await using work = await temporaryDirectory()
  const storage = ['--root', join(work.path, 'root'), '--runroot', join(work.path, 'run'), '--storage-driver', 'vfs']
  const buildah = (...args: string[]): Promise<string> => run('buildah', [...storage, ...args])
  const container = (await buildah('from', '--arch', architecture, 'scratch')).trim()
  // It unpacks what it adds: whiteouts of the layer above would become files.
  const [lowest = ''] = await baseLayers(architecture)
  await buildah('add', '--quiet', container, lowest, '/')
  const platform = ['--os', 'linux', '--arch', architecture]
  const config = ['--env', 'PATH=/usr/bin:/bin', '--env', 'BASE=yes', '--cmd', '/bin/sh', '--label', 'base.label=kept']
  await buildah('config', ...platform, ...config, container)
  const push = ['--quiet', '--tls-verify=false', '--timestamp', '0', '--format', family]
  await buildah('commit', ...push, container, `docker://${reference}`)
}

/** An OCI layout with the index of both platforms under `name`. skopeo makes it from what `reference` holds. */
export async function copyToLayout(reference: string, directory: string, name: string): Promise<void> {
  await run('skopeo', ['copy', '--all', '--src-tls-verify=false', `docker://${reference}`, `oci:${directory}:${name}`])
}

/** An OCI layout with the manifest of one platform under `name`, without any registry. umoci makes it. */
export async function makeLayout(directory: string, name: string, architecture: Architecture): Promise<void> {
  const image = ['--image', `${directory}:${name}`]
  await run('umoci', ['init', '--layout', directory])
  await run('umoci', ['new', ...image])
  for (const layer of await baseLayers(architecture)) await run('umoci', ['raw', 'add-layer', ...image, layer])
  const variables = ['--config.env', 'PATH=/usr/bin:/bin', '--config.env', 'BASE=yes']
  const config = ['--config.cmd', '/bin/sh', '--config.label', 'base.label=kept']
  await run('umoci', ['config', ...image, '--os', 'linux', '--architecture', architecture, ...variables, ...config])
}

/** Debian itself, for amd64: 170 MB and 8,700 files. mmdebstrap and crane make it, the first time in half a minute. */
export async function pushDebian(reference: string): Promise<void> {
  const layer = await cached('debian-bookworm.tar', async path => {
    await run('mmdebstrap', ['--quiet', '--format=tar', '--variant=minbase', 'bookworm', path])
  })
  await pushImage(reference, 'linux/amd64', 'oci', [layer])
}

/** Pushes an image to the repository of `reference`, under a tag of its own, and gives its reference by digest. */
async function pushChild(
  reference: string,
  platform: string,
  family: Family,
  layers?: readonly string[],
): Promise<string> {
  const child = `${reference}-${platform.replaceAll('/', '-')}`
  const architecture = platform === 'linux/arm64' ? 'arm64' : 'amd64'
  return pushImage(child, platform, family, layers ?? (await baseLayers(architecture)))
}

async function pushImage(
  reference: string,
  platform: string,
  family: Family,
  layers: readonly string[],
): Promise<string> {
  const files = layers.flatMap(layer => ['--new_layer', layer])
  await run('crane', ['append', `--oci-empty-base=${family === 'oci'}`, ...files, '--new_tag', reference])
  const variables = ['--env', 'PATH=/usr/bin:/bin', '--env', 'BASE=yes']
  const config = ['--set-platform', platform, ...variables, '--cmd', '/bin/sh', '--label', 'base.label=kept']
  return (await run('crane', ['mutate', reference, ...config, '--tag', reference])).trim()
}

async function appendIndex(reference: string, children: readonly string[], family: Family): Promise<void> {
  const manifests = children.flatMap(child => ['--manifest', child])
  await run('crane', ['index', 'append', `--docker-empty-base=${family === 'docker'}`, ...manifests, '-t', reference])
}

/** Pushes an attestation manifest without a tag, in the form that BuildKit gives it, and gives its digest. */
async function pushAttestation(reference: string, subject: string): Promise<string> {
  const hex = subject.replace('sha256:', '')
  const predicateType = 'https://slsa.dev/provenance/v1'
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: reference, digest: { sha256: hex } }],
    predicateType,
    predicate: { buildDefinition: {}, runDetails: {} },
  }
  const layer = await pushBlob(reference, JSON.stringify(statement))
  const diffIds = [layer.digest] // what is not compressed is its own diff ID
  const empty = { architecture: 'unknown', os: 'unknown', config: {}, rootfs: { type: 'layers', diff_ids: diffIds } }
  const config = await pushBlob(reference, JSON.stringify(empty))
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [
      {
        mediaType: 'application/vnd.in-toto+json',
        ...layer,
        annotations: { 'in-toto.io/predicate-type': predicateType },
      },
    ],
  })
  await regctl(reference, ['manifest', 'put', '--by-digest', repositoryOf(reference)], manifest)
  return `sha256:${createHash('sha256').update(manifest).digest('hex')}`
}

async function pushBlob(reference: string, text: string): Promise<{ readonly digest: string; readonly size: number }> {
  const digest = await regctl(reference, ['blob', 'put', repositoryOf(reference)], text)
  return { digest: digest.trim(), size: Buffer.byteLength(text) }
}

/** regctl, told that the host of `reference` speaks plain http. */
async function regctl(reference: string, args: readonly string[], input = ''): Promise<string> {
  const host = reference.slice(0, reference.indexOf('/'))
  return run('regctl', ['--host', `reg=${host},tls=disabled`, ...args], { input })
}

function repositoryOf(reference: string): string {
  return reference.slice(0, reference.lastIndexOf(':'))
}
