import type { RegistryError } from '../../errors.ts'
import type { Profile } from '../profile.ts'

/** What registries say of immutable tags that have no code for them. */
const WORDS = /immutab|cannot be overwritten|can(?:no|')t overwrite|overwrit\w* (?:is )?not allowed|redeploy/i

/**
 * Whether a tag was refused because it is immutable. To be asked of a manifest that was pushed by its digest a moment ago:
 * then a 403 is no matter of rights.
 */
export function isImmutable({ immutable }: Profile, { status, codes, detail }: RegistryError): boolean {
  return immutable.some(one => one === status || codes.includes(String(one))) || WORDS.test(detail)
}
