import { digestOf, isDigest } from '../../src/oci/digest.ts'
import { bundleReferrer } from '../support/bundle-referrer.ts'
import type { SpecRegistry } from '../../conformance/server/registry.ts'
import type { StoredManifest } from '../../conformance/server/store.ts'
import { collect, layerBlob, readLayer } from '../layer/layer-blob.ts'
import { bytesBlob } from '../../src/content/blob.ts'
import { referrersOf, SIGNATURE } from './signed-projects.ts'

export const PLANTED = 'planted by somebody who may push and not sign'

interface Described {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

interface ManifestJson {
  readonly mediaType: string
  readonly config: Described
  readonly layers: readonly Described[]
  readonly manifests?: readonly Described[]
}

export interface Planted {
  /** What the tag stands for now. */
  readonly root: Described
  /** Of the layer that is not what the config says. */
  readonly layer: string
}

export interface PlantOptions {
  readonly repository?: string
  readonly tag?: string
  /** Which layer is another, from the top. Default: the one on top. */
  readonly fromTop?: number
  /** Leaves the index as it was signed and puts other bytes in place of a child. Default: false. */
  readonly swapped?: boolean
}

/**
 * Points a tag at an image with the config of the one that is there, diffIDs and all, and another layer: what anybody
 * can do who may push.
 */
export async function plant(
  registry: SpecRegistry,
  { repository = 'team/app', tag = 'v1', fromTop = 0, swapped = false }: PlantOptions = {},
): Promise<Planted> {
  const layer = await layerBlob([{ path: 'app/hello', text: PLANTED }])
  const { digest, size } = layer.descriptor
  const bytes = await collect(layer.open())
  const manifests: StoredManifest[] = []
  const putting = (mediaType: string, json: object, as?: string): Described => {
    const text = Buffer.from(JSON.stringify(json))
    const named = as ?? digestOf(text)
    manifests.push({ digest: named, mediaType, bytes: text })
    return { mediaType, digest: named, size: text.byteLength }
  }
  const withPlanted = (reference: string): Described => {
    const real = read(registry, repository, reference)
    const at = real.layers.length - 1 - fromTop
    const layers = real.layers.map((one, i) => (i === at ? { ...one, digest, size } : one))
    return putting(real.mediaType, { ...real, layers }, swapped ? reference : undefined)
  }
  const there = read(registry, repository, tag)
  const children = there.manifests?.map(child => ({ ...child, ...withPlanted(child.digest) }))
  const signed = registry.manifest(repository, tag)
  const root = !children
    ? withPlanted(tag)
    : swapped && signed
      ? { mediaType: signed.mediaType, digest: signed.digest, size: signed.bytes.byteLength }
      : putting(there.mediaType, { ...there, manifests: children })
  registry.seed(repository, { blobs: new Map([[digest, bytes]]), manifests, tags: new Map([[tag, root.digest]]) })
  return { root, layer: digest }
}

/** Hangs the signatures of one manifest on another, as anybody can who may push. */
export async function moveSignatures(
  registry: SpecRegistry,
  from: string,
  { mediaType, digest, size }: Described,
  repository = 'team/app',
): Promise<number> {
  if (!isDigest(digest)) throw new Error(`${digest} is no digest`)
  const found = await referrersOf(registry, from, repository)
  for (const one of found) {
    const [layer] = read(registry, repository, one.digest).layers
    const bundle = layer && (await registry.blob(repository, layer.digest))
    if (!bundle) throw new Error(`${one.digest} holds no bundle`)
    const { manifest, blobs } = bundleReferrer(bundle, SIGNATURE, { mediaType, digest, size })
    const bytes = await collect(manifest.open())
    const kept = await Promise.all(
      blobs.map(async blob => [blob.descriptor.digest, await collect(blob.open())] as const),
    )
    const stored = { digest: manifest.descriptor.digest, mediaType: manifest.descriptor.mediaType, bytes }
    registry.seed(repository, { blobs: new Map(kept), manifests: [stored], tags: new Map() })
  }
  return found.length
}

/** Texts of the files in the layers of every platform, of what a tag stands for: what a user gets who pulls it. */
export async function pulled(registry: SpecRegistry, tag = 'v1', repository = 'team/app'): Promise<readonly string[]> {
  const root = read(registry, repository, tag)
  const images = root.manifests?.map(({ digest }) => read(registry, repository, digest)) ?? [root]
  const texts: string[] = []
  for (const { layers } of images) {
    for (const { mediaType, digest, size } of layers) {
      const bytes = await registry.blob(repository, digest)
      if (!bytes || !isDigest(digest)) throw new Error(`${digest} is not in ${repository}`)
      const entries = await readLayer(bytesBlob({ bytes, descriptor: { mediaType, digest, size } }))
      texts.push(...entries.flatMap(({ text }) => text ?? []))
    }
  }
  return texts
}

function read(registry: SpecRegistry, repository: string, reference: string): ManifestJson {
  const stored = registry.manifest(repository, reference)
  if (!stored) throw new Error(`there is no ${repository}@${reference}`)
  return JSON.parse(stored.bytes.toString()) as ManifestJson
}
