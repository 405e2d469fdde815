import { readAll } from '../../../src/content/verify.ts'
import { bytesBlob, type Blob } from '../../../src/content/blob.ts'
import { MemoryStore } from '../../../src/content/memory.ts'
import type { TarEntry } from '../../../src/archive/tar/header.ts'
import { writeTar, type TarItem } from '../../../src/archive/tar/write.ts'
import { gzip } from '../../../src/archive/gzip.ts'
import type { Descriptor } from '../../../src/oci/descriptor.ts'
import { digestOf } from '../../../src/oci/digest.ts'
import { toDocument } from '../../../src/oci/manifest.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../../src/oci/media-type.ts'

/** Text of a file, or what else is there. */
export type Content =
  | string
  | { readonly type: 'directory' }
  | { readonly type: 'symlink' | 'hardlink'; readonly linkPath: string }
  | { readonly program: Uint8Array }

export type Layer = Readonly<Record<string, Content>>

const ATTRIBUTES = { uid: 0, gid: 0, mtime: 0 }

function itemOf([path, content]: readonly [string, Content]): { readonly entry: TarEntry; readonly body?: Uint8Array } {
  if (typeof content === 'string' || 'program' in content) {
    const body = typeof content === 'string' ? Buffer.from(content) : content.program
    const mode = typeof content === 'string' ? 0o644 : 0o755
    return { entry: { ...ATTRIBUTES, type: 'file', path, mode, size: body.length }, body }
  }
  return { entry: { ...ATTRIBUTES, path, mode: 0o755, size: 0, ...content } }
}

function blobOf(bytes: Uint8Array, mediaType: string): Blob {
  return bytesBlob({ bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } })
}

async function* itemsOf(layer: Layer): AsyncGenerator<TarItem> {
  for (const { entry, body } of Object.entries(layer).map(itemOf)) {
    yield await Promise.resolve({ entry, body: body && blobOf(body, 'text/plain') })
  }
}

/** A compressed layer, in the order of its keys. */
async function layerBlob(layer: Layer, mediaType: string): Promise<Blob> {
  const tar = gzip(writeTar(itemsOf(layer)))
  const bytes = await readAll(tar, { maxBytes: 64 << 20, what: 'layer' })
  return blobOf(bytes, mediaType)
}

/** Stores an image of some layers and gives the descriptor of its manifest. */
export async function storeImage(
  store: MemoryStore,
  layers: readonly Layer[],
  architecture = 'amd64',
  layerType = 'application/vnd.oci.image.layer.v1.tar+gzip',
): Promise<Descriptor> {
  const blobs = await Promise.all(layers.map(layer => layerBlob(layer, layerType)))
  const platform = { os: 'linux', architecture }
  const config = bytesBlob(toDocument(OCI_CONFIG, { ...platform, rootfs: { type: 'layers', diff_ids: [] } }))
  const document = toDocument(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers: blobs.map(({ descriptor }) => descriptor),
  })
  for (const blob of [config, ...blobs, bytesBlob(document)]) await store.push(blob)
  await store.tag(bytesBlob(document), [architecture])
  return { ...document.descriptor, platform }
}

/** Stores an index of manifests under a tag. */
export async function storeIndex(
  store: MemoryStore,
  tag: string,
  manifests: readonly Descriptor[],
): Promise<Descriptor> {
  const document = toDocument(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests })
  await store.push(bytesBlob(document))
  await store.tag(bytesBlob(document), [tag])
  return document.descriptor
}
