import { bytesBlob, type Blob } from '../content/blob.ts'
import type { Annotations, Descriptor } from '../oci/descriptor.ts'
import type { ImageIndex } from '../oci/image-index.ts'
import { toDocument } from '../oci/manifest.ts'
import { OCI_INDEX, inFamily, type Family } from '../oci/media-type.ts'
import type { Platform } from '../oci/platform.ts'
import type { Image } from './image.ts'

export interface IndexParts {
  /** In the order the user gave: of several that match, readers take the first. */
  readonly images: readonly Image[]
  readonly annotations: Annotations
  /** Annotations of the entry for a platform. */
  readonly entryAnnotations: (platform: Platform) => Annotations
  readonly family: Family
}

/** The index over some images. */
export function compose({ images, annotations, entryAnnotations, family }: IndexParts): Blob {
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: inFamily(OCI_INDEX, family),
    manifests: images.map(({ manifest: { descriptor }, platform }): Descriptor => {
      const said = entryAnnotations(platform)
      return { ...descriptor, ...(Object.keys(said).length > 0 && { annotations: said }), platform }
    }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  }
  return bytesBlob(toDocument(index.mediaType, index))
}
