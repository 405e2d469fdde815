import type { Blob } from '../content/blob.ts'
import { bytesBlob } from '../content/blob.ts'
import type { Digest } from '../oci/digest.ts'
import type { ImageConfig } from '../oci/image-config.ts'
import type { Manifest } from '../oci/manifest.ts'
import { toDocument } from '../oci/manifest.ts'
import type { Platform } from '../oci/platform.ts'
import type { Annotations, Descriptor } from '../oci/descriptor.ts'
import { bare } from '../oci/descriptor.ts'
import { OCI_CONFIG, OCI_MANIFEST, inFamily, isNondistributable, type Family } from '../oci/media-type.ts'

/** An image for one platform: a value. Changing one makes a new one. */
export interface Image {
  readonly platform: Platform
  /** As it is pushed. */
  readonly manifest: Blob
  readonly config: Blob
  readonly layers: readonly ImageLayer[]
}

export interface ImageLayer {
  readonly blob: Blob
  readonly diffID: Digest
  readonly origin: 'base' | 'assembled' | 'cached'
}

export interface ImageParts {
  readonly platform: Platform
  readonly config: ImageConfig
  readonly layers: readonly ImageLayer[]
  readonly annotations: Annotations
  readonly family: Family
}

/** Serialises config and manifest, once. Layers keep their bytes; their media types are put into one family. */
export function assemble({ platform, config, layers, annotations, family }: ImageParts): Image {
  const configDocument = toDocument(inFamily(OCI_CONFIG, family), config)
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: inFamily(OCI_MANIFEST, family),
    config: configDocument.descriptor,
    layers: layers.map(({ blob }) => layerDescriptor(blob.descriptor, family)),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  }
  return {
    platform,
    manifest: bytesBlob(toDocument(manifest.mediaType, manifest)),
    config: bytesBlob(configDocument),
    layers,
  }
}

// Annotations of the base's layers belonged to the base's manifest (eStargz tables of contents, say) and are kept in
// OCI's family, which has room for them.
function layerDescriptor(descriptor: Descriptor, family: Family): Descriptor {
  const mediaType = isNondistributable(descriptor.mediaType)
    ? descriptor.mediaType
    : inFamily(descriptor.mediaType, family)
  const { urls, annotations } = descriptor
  return {
    ...bare({ ...descriptor, mediaType }),
    ...(urls && { urls }),
    ...(annotations && family === 'oci' && { annotations }),
  }
}
