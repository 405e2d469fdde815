import * as v from 'valibot'
import { OciPublishError } from '../errors.ts'
import { listOf, parse, parseJson } from '../parse.ts'
import { annotationsSchema, descriptorSchema, type Annotations, type Descriptor } from './descriptor.ts'
import { digestOf } from './digest.ts'
import { DOCKER_MANIFEST, OCI_MANIFEST } from './media-type.ts'

/** image-spec v1.1.1, manifest.md. A view: the bytes it was read from are what is identified and pushed. */
export interface Manifest {
  readonly schemaVersion: 2
  readonly mediaType: string
  readonly artifactType?: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly subject?: Descriptor
  readonly annotations?: Annotations
}

/** Manifests of more bytes than this are refused everywhere (distribution-spec: registries should take 4 MiB). */
export const MAX_MANIFEST_BYTES: number = 4 << 20

const manifestSchema = v.object({
  schemaVersion: v.literal(2, 'is not 2'),
  mediaType: v.exactOptional(v.string()),
  artifactType: v.exactOptional(v.string()),
  config: descriptorSchema,
  layers: listOf(descriptorSchema),
  subject: v.exactOptional(descriptorSchema),
  annotations: v.nullish(annotationsSchema),
})

/**
 * @param mediaType what the registry or the parent says it is; early OCI manifests do not say it themselves
 * @throws {OciPublishError} INVALID_DOCUMENT
 */
export function parseManifest(bytes: Uint8Array, where: string, mediaType: string = OCI_MANIFEST): Manifest {
  const { annotations, ...manifest } = parse(manifestSchema, parseJson(bytes, where), where)
  return {
    ...manifest,
    mediaType: claimedType(manifest.mediaType, mediaType, [OCI_MANIFEST, DOCKER_MANIFEST], where),
    ...(annotations && { annotations }),
  }
}

/**
 * One document must not be read in two ways (CVE-2021-41190): what it says of itself and what the outside says of it
 * have to agree.
 */
export function claimedType(
  inside: string | undefined,
  outside: string,
  allowed: readonly string[],
  where: string,
): string {
  const mediaType = inside ?? outside
  if (mediaType === outside && allowed.includes(mediaType)) return mediaType
  throw new OciPublishError('INVALID_DOCUMENT', `${where}: says "${mediaType}", expected "${outside}"`)
}

/** A document that we made: its bytes, and the descriptor that identifies them. */
export interface Document {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

/** Serialises a document of ours, once; from here on its bytes are its identity. */
export function toDocument(mediaType: string, value: object): Document {
  const bytes = new TextEncoder().encode(JSON.stringify(value, null, 2))
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength } }
}
