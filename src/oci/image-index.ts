import * as v from 'valibot'
import { listOf, parse, parseJson } from '../parse.ts'
import { annotationsSchema, descriptorSchema, type Annotations, type Descriptor } from './descriptor.ts'
import { claimedType } from './manifest.ts'
import { DOCKER_INDEX, OCI_INDEX } from './media-type.ts'
import { isUnknownPlatform } from './platform.ts'

/** image-spec v1.1.1, image-index.md. A view: the bytes it was read from are what is identified and pushed. */
export interface ImageIndex {
  readonly schemaVersion: 2
  readonly mediaType: string
  readonly artifactType?: string
  readonly manifests: readonly Descriptor[]
  readonly subject?: Descriptor
  readonly annotations?: Annotations
}

const indexSchema = v.object({
  schemaVersion: v.literal(2, 'is not 2'),
  mediaType: v.exactOptional(v.string()),
  artifactType: v.exactOptional(v.string()),
  manifests: listOf(descriptorSchema),
  subject: v.exactOptional(descriptorSchema),
  annotations: v.nullish(annotationsSchema),
})

/** @throws {OciPublishError} INVALID_DOCUMENT */
export function parseImageIndex(bytes: Uint8Array, where: string, mediaType: string = OCI_INDEX): ImageIndex {
  const { annotations, ...index } = parse(indexSchema, parseJson(bytes, where), where)
  return {
    ...index,
    mediaType: claimedType(index.mediaType, mediaType, [OCI_INDEX, DOCKER_INDEX], where),
    ...(annotations && { annotations }),
  }
}

/** BuildKit keeps attestations as children of the index; they are nothing to run and nothing to build on. */
export function isAttestation({ platform, annotations }: Descriptor): boolean {
  return (
    annotations?.['vnd.docker.reference.type'] !== undefined || (platform !== undefined && isUnknownPlatform(platform))
  )
}
