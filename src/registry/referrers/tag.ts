import { algorithmOf, hexOf, type Digest } from '../../oci/digest.ts'
import { parseTag, type Tag } from '../../oci/tag.ts'

/**
 * The tag under which clients keep the referrers of a manifest where the registry keeps none.
 *
 * @see distribution-spec, "Referrers Tag Schema"
 */
export function referrersTag(subject: Digest): Tag {
  return parseTag(`${part(algorithmOf(subject), 32)}-${part(hexOf(subject), 64)}`)
}

function part(text: string, maxLength: number): string {
  return text.replaceAll(/[^A-Za-z0-9._-]/g, '-').slice(0, maxLength)
}
