import type { Blob } from '../../src/content/blob.ts'
import { layerBlob, collect, type Sketch } from '../layer/layer-blob.ts'
import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'

const CONFIG = 'application/vnd.oci.image.config.v1+json'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const INDEX = 'application/vnd.oci.image.index.v1+json'

export interface BaseSketch {
  readonly architecture: string
  readonly variant?: string
  /** Layers from the lowest up. */
  readonly layers: readonly (readonly Sketch[])[]
  /** diffIDs that the config gives instead of the right ones, by the number of the layer. */
  readonly lies?: Readonly<Record<number, string>>
  /** The `config` of the image's configuration. */
  readonly config?: object
}

/** Where a base image is put; the registry asks for nothing. */
export interface BasePlace {
  readonly url: URL
  readonly repository: string
  readonly tag: string
}

export interface PushedBase {
  readonly digest: string
  /** Of the layers of each platform. */
  readonly layers: readonly (readonly string[])[]
}

interface Described {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

/** Puts an index with one image for each sketch into a registry, by plain requests: no code of ours is in between. */
export async function pushBase(place: BasePlace, sketches: readonly BaseSketch[]): Promise<PushedBase> {
  const manifests: object[] = []
  const layersOf: string[][] = []
  for (const { architecture, variant, layers, lies = {}, config } of sketches) {
    const blobs = await Promise.all(layers.map(layerBlob))
    const contents = await Promise.all(blobs.map(bytesOf))
    for (const bytes of contents) await putBlob(place, bytes)
    const platform = { os: 'linux', architecture, ...(variant !== undefined && { variant }) }
    const image = {
      ...platform,
      config: config ?? {},
      rootfs: { type: 'layers', diff_ids: contents.map((bytes, i) => lies[i] ?? digestOf(gunzipSync(bytes))) },
    }
    const manifest = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: CONFIG, ...(await putBlob(place, Buffer.from(JSON.stringify(image)))) },
      layers: blobs.map(({ descriptor }) => descriptor),
    }
    manifests.push({ ...(await putManifest(place, MANIFEST, manifest)), platform })
    layersOf.push(blobs.map(({ descriptor }) => descriptor.digest))
  }
  const index = { schemaVersion: 2, mediaType: INDEX, manifests }
  const { digest } = await putManifest(place, INDEX, index, place.tag)
  return { digest, layers: layersOf }
}

async function bytesOf(blob: Blob): Promise<Buffer> {
  return collect(blob.open())
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

async function putBlob({ url, repository }: BasePlace, bytes: Buffer): Promise<Omit<Described, 'mediaType'>> {
  const digest = digestOf(bytes)
  const opened = await fetch(new URL(`/v2/${repository}/blobs/uploads/`, url), { method: 'POST' })
  const location = new URL(opened.headers.get('location') ?? '', url)
  location.searchParams.set('digest', digest)
  await expectCreated(await fetch(location, { method: 'PUT', body: new Uint8Array(bytes) }))
  return { digest, size: bytes.byteLength }
}

async function putManifest(
  { url, repository }: BasePlace,
  mediaType: string,
  document: object,
  tag?: string,
): Promise<Described> {
  const bytes = Buffer.from(JSON.stringify(document))
  const digest = digestOf(bytes)
  const to = new URL(`/v2/${repository}/manifests/${tag ?? digest}`, url)
  await expectCreated(await fetch(to, { method: 'PUT', body: bytes, headers: { 'content-type': mediaType } }))
  return { mediaType, digest, size: bytes.byteLength }
}

async function expectCreated(response: Response): Promise<void> {
  if (response.status !== 201) throw new Error(`${response.url}: ${response.status} ${await response.text()}`)
}
