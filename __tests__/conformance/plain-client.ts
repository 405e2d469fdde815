import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client, Ended, Job } from '../../conformance/client.ts'
import { writeLayout } from '../../conformance/sample.ts'
import type { StoredManifest } from '../../conformance/server/store.ts'

type Asking = Omit<RequestInit, 'headers'> & { readonly headers?: Record<string, string> }

interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

interface Parts {
  readonly root: Descriptor
  readonly blobs: Map<string, Buffer>
  /** What is pointed at comes first. */
  readonly manifests: StoredManifest[]
}

/** A way to a registry, with credentials, and the steps of a client that does all as it should. */
export interface Io {
  readonly job: Job
  /** `/v2/team/app` */
  readonly base: string
  readonly password: string
  /** Redirects are not followed. */
  readonly ask: (path: string, init?: Asking) => Promise<Response>
  readonly token: (scope: string) => Promise<string>
  /** What the layout has that is to be pushed. */
  readonly parts: () => Promise<Parts>
  /** Opens an upload. @returns its Location */
  readonly open: () => Promise<string>
  readonly putBlob: (digest: string, init: Asking) => Promise<Response>
  readonly putManifest: (reference: string, manifest: StoredManifest) => Promise<Response>
  readonly pushBlobs: () => Promise<void>
  readonly push: () => Promise<void>
  readonly pull: () => Promise<void>
}

export const OCTETS = { 'content-type': 'application/octet-stream' } as const
export const DONE: Ended = { exitCode: 0, output: 'done' }

/** A client for tests of the judge: written against the specification alone, so that each of its steps can be spoilt. */
export function plainClient(behave: (io: Io) => Promise<Ended>): Client {
  return { name: 'plain', run: async (job, { config }) => await behave(await connect(job, config)) }
}

async function connect(job: Job, config: string): Promise<Io> {
  const { host, repository, tag } = 'target' in job ? job.target : job.source
  const base = `/v2/${repository}`
  const file = await readFile(join(config, 'config.json'), 'utf8')
  const { auths } = JSON.parse(file) as { readonly auths: Readonly<Record<string, { readonly auth: string }>> }
  const auth = auths[host]?.auth ?? ''
  const token = async (scope: string): Promise<string> => {
    const query = new URLSearchParams({ service: host, scope })
    const response = await fetch(`http://${host}/token?${query.toString()}`, {
      headers: { authorization: `Basic ${auth}` },
    })
    return ((await response.json()) as { readonly token: string }).token
  }
  const bearer = await token(`repository:${repository}:${job.do === 'pull' ? 'pull' : 'pull,push'}`)
  const ask: Io['ask'] = (path, init = {}) =>
    fetch(new URL(path, `http://${host}`), {
      redirect: 'manual',
      ...init,
      headers: { authorization: `Bearer ${bearer}`, ...init.headers },
    })
  const parts = async (): Promise<Parts> => await readParts('layout' in job ? job.layout.path : '')
  const open = async (): Promise<string> => {
    const response = await ask(`${base}/blobs/uploads/`, { method: 'POST' })
    return response.headers.get('location') ?? ''
  }
  const putBlob: Io['putBlob'] = async (digest, init) =>
    await ask(`${await open()}&digest=${digest}`, { method: 'PUT', ...init })
  const putManifest: Io['putManifest'] = (reference, { mediaType, bytes }) =>
    ask(`${base}/manifests/${reference}`, {
      method: 'PUT',
      headers: { 'content-type': mediaType },
      body: bytes.toString('utf8'),
    })
  const pushBlobs = async (): Promise<void> => {
    for (const [digest, bytes] of (await parts()).blobs) await putBlob(digest, { headers: OCTETS, body: copied(bytes) })
  }
  const push = async (): Promise<void> => {
    await pushBlobs()
    const { manifests, root } = await parts()
    for (const manifest of manifests)
      await putManifest(manifest.digest === root.digest ? tag : manifest.digest, manifest)
  }
  const pull = async (): Promise<void> => {
    const read = async (path: string): Promise<Buffer> => {
      const response = await ask(path, { headers: { accept: 'application/vnd.oci.image.manifest.v1+json' } })
      const location = response.headers.get('location')
      return Buffer.from(await (location === null ? response : await fetch(location)).arrayBuffer())
    }
    const head = await ask(`${base}/manifests/${tag}`, { method: 'HEAD' })
    const [mediaType, digest] = [
      head.headers.get('content-type') ?? '',
      head.headers.get('docker-content-digest') ?? '',
    ]
    const bytes = await read(`${base}/manifests/${digest}`)
    const blobs = new Map<string, Buffer>()
    for (const { digest: blob } of blobsOf(bytes)) blobs.set(blob, await read(`${base}/blobs/${blob}`))
    const root = { mediaType, digest, size: bytes.byteLength }
    if (job.do === 'pull') await writeLayout(job.layout.path, { root, blobs, manifests: [{ ...root, bytes }] }, tag)
  }
  const password = Buffer.from(auth, 'base64').toString('utf8').split(':')[1] ?? ''
  return { job, base, password, ask, token, parts, open, putBlob, putManifest, pushBlobs, push, pull }
}

/** fetch() takes bytes that are not shared with anybody. */
export function copied(bytes: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}

interface Document {
  readonly config?: Descriptor
  readonly layers?: readonly Descriptor[]
  readonly manifests?: readonly Descriptor[]
}

const parsed = (bytes: Buffer): Document => JSON.parse(bytes.toString('utf8')) as Document

function blobsOf(bytes: Buffer): readonly Descriptor[] {
  const { config, layers = [] } = parsed(bytes)
  return config ? [config, ...layers] : layers
}

async function readParts(path: string): Promise<Parts> {
  const bytesOf = (digest: string): Promise<Buffer> => readFile(join(path, 'blobs', digest.replace(':', '/')))
  const [root] = parsed(await readFile(join(path, 'index.json'))).manifests ?? []
  if (!root) throw new Error(`${path} lists nothing`)
  const parts: Parts = { root, blobs: new Map(), manifests: [] }
  const walk = async ({ digest, mediaType }: Descriptor): Promise<void> => {
    const bytes = await bytesOf(digest)
    for (const child of parsed(bytes).manifests ?? []) await walk(child)
    for (const blob of blobsOf(bytes)) parts.blobs.set(blob.digest, await bytesOf(blob.digest))
    parts.manifests.push({ digest, mediaType, bytes })
  }
  await walk(root)
  return parts
}
