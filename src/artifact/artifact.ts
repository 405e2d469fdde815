import { bytesBlob, describedAs, type Blob } from '../content/blob.ts'
import { bare, type Annotations, type Descriptor } from '../oci/descriptor.ts'
import { digestOf } from '../oci/digest.ts'
import { toDocument } from '../oci/manifest.ts'
import { OCI_MANIFEST } from '../oci/media-type.ts'

/** image-spec v1.1.1, manifest.md, "Guidance for an Empty Descriptor". */
export const EMPTY_CONFIG = 'application/vnd.oci.empty.v1+json'

/** Type of an artifact whose maker gives none, as `oras push` has it. */
const UNKNOWN_ARTIFACT = 'application/vnd.unknown.artifact.v1'

/** The key under which every tool of the field looks for a file's name. */
export const TITLE = 'org.opencontainers.image.title'

const EMPTY_BYTES = new TextEncoder().encode('{}')

/** The blob `{}`, with its bytes in the descriptor so that nobody needs to fetch it. */
export function emptyBlob(): Blob {
  const descriptor = { mediaType: EMPTY_CONFIG, digest: digestOf(EMPTY_BYTES), size: 2, data: 'e30=' }
  return bytesBlob({ descriptor, bytes: EMPTY_BYTES })
}

/** One manifest and the blobs that it points at. */
export interface Artifact {
  readonly manifest: Blob
  /** Config and layers, each once. */
  readonly blobs: readonly Blob[]
}

export interface ArtifactParts {
  readonly artifactType?: string | undefined
  /** The empty one where there is none. */
  readonly config?: Blob | undefined
  /** In order; media type, title and annotations are those of their descriptors. */
  readonly layers: readonly Blob[]
  readonly annotations?: Annotations | undefined
  /** The manifest that this one says something about. */
  readonly subject?: Descriptor | undefined
}

/**
 * Composes the manifest of an artifact. An artifact without layers has the empty blob as its only one, because a
 * manifest has to have a layer.
 *
 * @see image-spec v1.1.1, manifest.md, "Guidelines for Artifact Usage"
 */
export function composeArtifact({ artifactType, config, layers, annotations, subject }: ArtifactParts): Artifact {
  const configBlob = config ?? emptyBlob()
  const layerBlobs = layers.length > 0 ? layers : [emptyBlob()]
  // Its type has to be told by something: an empty config tells nothing.
  const type = artifactType ?? (config ? undefined : UNKNOWN_ARTIFACT)
  const document = toDocument(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    ...(type !== undefined && { artifactType: type }),
    config: configBlob.descriptor,
    layers: layerBlobs.map(({ descriptor }) => descriptor),
    ...(subject && { subject: bare(subject) }),
    ...(annotations && Object.keys(annotations).length > 0 && { annotations: sorted(annotations) }),
  })
  const blobs = new Map([configBlob, ...layerBlobs].map(blob => [blob.descriptor.digest, blob]))
  const descriptor = { ...document.descriptor, ...(type !== undefined && { artifactType: type }) }
  return { manifest: describedAs(bytesBlob(document), descriptor), blobs: [...blobs.values()] }
}

/** The order in which a user writes them must not change the digest. */
function sorted(annotations: Annotations): Annotations {
  return Object.fromEntries(Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1)))
}
