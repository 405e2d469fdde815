import * as v from 'valibot'
import { isDigest, type Digest } from './digest.ts'
import { platformSchema, type Platform } from './platform.ts'

export type Annotations = Readonly<Record<string, string>>

/** image-spec v1.1.1, descriptor.md. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
  readonly urls?: readonly string[]
  readonly annotations?: Annotations
  readonly data?: string
  readonly artifactType?: string
  readonly platform?: Platform
}

const text = v.string('is not text')

export const annotationsSchema: v.GenericSchema<unknown, Annotations> = v.record(text, text, 'is not a map of texts')

export const descriptorSchema: v.GenericSchema<unknown, Descriptor> = v.object(
  {
    mediaType: v.pipe(text, v.nonEmpty('is empty')),
    digest: v.pipe(text, v.guard(isDigest, 'is not a digest such as sha256:<64 hex>')),
    size: v.pipe(v.number('is not a number'), v.safeInteger('is not whole'), v.minValue(0, 'is negative')),
    urls: v.exactOptional(v.array(text)),
    annotations: v.exactOptional(annotationsSchema),
    data: v.exactOptional(text),
    artifactType: v.exactOptional(text),
    platform: v.exactOptional(platformSchema),
  },
  'is missing',
)

/** What identifies content: media type, digest and size, and nothing said about it. */
export function bare({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size }
}
