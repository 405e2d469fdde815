/** image-spec v1.1.1, media-types.md, and Docker's of image manifest version 2, schema 2. */
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json'
export const DOCKER_INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json'
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
export const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json'

/** Which family a document belongs to; an image keeps to one, some registries refuse a mix. */
export type Family = 'oci' | 'docker'

export type Compression = 'gzip' | 'zstd' | 'none'

const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar'
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar'
const LAYER = {
  oci: { gzip: `${OCI_LAYER}+gzip`, zstd: `${OCI_LAYER}+zstd`, none: OCI_LAYER },
  docker: { gzip: `${DOCKER_LAYER}.gzip`, zstd: `${DOCKER_LAYER}.zstd`, none: DOCKER_LAYER },
} as const

export function layerMediaType(family: Family, compression: Compression): string {
  return LAYER[family][compression]
}

/** How a layer is compressed, as far as its media type says; undefined for what is not a layer of an image. */
export function layerCompression(mediaType: string): Compression | undefined {
  for (const types of Object.values(LAYER)) {
    for (const compression of ['gzip', 'zstd', 'none'] as const)
      if (types[compression] === mediaType) return compression
  }
  return undefined
}

export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI_INDEX || mediaType === DOCKER_INDEX
}

/** Indexes and manifests: what a registry serves under `/manifests/`. */
export function isManifestType(mediaType: string): boolean {
  return isIndexType(mediaType) || mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST
}

/** Layers that only their publisher may serve (Windows bases of old); they carry `urls` and are not pushed. */
export function isNondistributable(mediaType: string): boolean {
  return mediaType.includes('.nondistributable.') || mediaType.includes('.foreign.')
}

/** The same kind of document in the other family; types that exist once stay as they are. */
export function inFamily(mediaType: string, family: Family): string {
  const compression = layerCompression(mediaType)
  if (compression) return layerMediaType(family, compression)
  if (isIndexType(mediaType)) return family === 'oci' ? OCI_INDEX : DOCKER_INDEX
  if (isManifestType(mediaType)) return family === 'oci' ? OCI_MANIFEST : DOCKER_MANIFEST
  if (mediaType === OCI_CONFIG || mediaType === DOCKER_CONFIG) return family === 'oci' ? OCI_CONFIG : DOCKER_CONFIG
  return mediaType
}
