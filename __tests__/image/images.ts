import { bytesBlob } from '../../src/content/blob.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { toDocument, type Document } from '../../src/oci/manifest.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, layerMediaType } from '../../src/oci/media-type.ts'
import { formatPlatform, parsePlatform, type Platform } from '../../src/oci/platform.ts'

/** A store to which images are added whose layers are not there: nothing here reads layers. */
export class Images {
  readonly store: MemoryStore = new MemoryStore('example.org/base')

  async put(document: Document): Promise<Descriptor> {
    await this.store.push(bytesBlob(document))
    return document.descriptor
  }

  async image(
    platform: Platform,
    { mediaType = OCI_MANIFEST, layers = 1 }: { readonly mediaType?: string; readonly layers?: number } = {},
  ): Promise<Descriptor> {
    const blob = Buffer.from(`layer of ${formatPlatform(platform)}`)
    const layer = { mediaType: layerMediaType('oci', 'gzip'), digest: digestOf(blob), size: blob.byteLength }
    const config = await this.put(
      toDocument(OCI_CONFIG, { ...platform, rootfs: { type: 'layers', diff_ids: [layer.digest] } }),
    )
    return this.put(toDocument(mediaType, { schemaVersion: 2, mediaType, config, layers: Array(layers).fill(layer) }))
  }

  async index(manifests: readonly object[], mediaType: string = OCI_INDEX, more: object = {}): Promise<Descriptor> {
    return this.put(toDocument(mediaType, { schemaVersion: 2, mediaType, manifests, ...more }))
  }

  async of(...specifiers: readonly string[]): Promise<Descriptor[]> {
    const platforms = specifiers.map(parsePlatform)
    return Promise.all(platforms.map(async platform => ({ ...(await this.image(platform)), platform })))
  }

  /** An index in an index, and so on, so many times. */
  async nested(root: Descriptor, depth: number): Promise<Descriptor> {
    return depth === 0 ? root : this.nested(await this.index([root]), depth - 1)
  }
}
