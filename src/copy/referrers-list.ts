import type { Abortable } from '../async/abortable.ts'
import type { Source } from '../content/ports.ts'
import { isNotFound } from '../errors.ts'
import { OCI_INDEX } from '../oci/media-type.ts'

/** distribution-spec, "Referrers Tag Schema": the algorithm and at most 64 characters of the hash. */
const LIST = /^sha(?:256|512)-([0-9a-f]{64})$/

/** Whether a tag is one under which clients keep the referrers of a manifest, and not the name of an image by its digest. */
export async function isReferrersList(source: Source, tag: string, io: Abortable): Promise<boolean> {
  const [, hex] = LIST.exec(tag) ?? []
  if (hex === undefined) return false
  try {
    const { digest, mediaType } = await source.resolve(tag, io)
    return mediaType === OCI_INDEX && !digest.includes(hex)
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}
