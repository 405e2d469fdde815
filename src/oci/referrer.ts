import * as v from 'valibot'
import type { Descriptor } from './descriptor.ts'
import { annotationsSchema, descriptorSchema } from './descriptor.ts'
import type { Digest } from './digest.ts'
import { parseJson } from '../parse.ts'

/** A manifest that refers to another. */
export interface Referrer {
  readonly subject: Digest
  /** As a list of referrers has it: with the artifact's type, and with all annotations of the manifest. */
  readonly descriptor: Descriptor
}

const document = v.object({
  artifactType: v.nullish(v.string()),
  config: v.nullish(v.object({ mediaType: v.string() })),
  subject: descriptorSchema,
  annotations: v.nullish(annotationsSchema),
})

/**
 * What a list of referrers has to say of a manifest; undefined for one that refers to nothing, and for what cannot be read:
 * that is for the registry to refuse.
 *
 * @param bytes of the manifest
 * @see distribution-spec, "Listing Referrers"
 */
export function referrerOf({ mediaType, digest, size }: Descriptor, bytes: Uint8Array): Referrer | undefined {
  const { success, output } = v.safeParse(document, valueOf(bytes))
  if (!success) return undefined
  const { config, annotations, subject } = output
  const artifactType = output.artifactType === '' ? config?.mediaType : (output.artifactType ?? config?.mediaType)
  return {
    subject: subject.digest,
    descriptor: { mediaType, digest, size, ...(artifactType && { artifactType }), ...(annotations && { annotations }) },
  }
}

function valueOf(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes, 'manifest')
  } catch {
    return undefined
  }
}
