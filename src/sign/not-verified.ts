import type { Abortable } from '../async/abortable.ts'
import { listsReferrers, type Source } from '../content/ports.ts'
import { OciPublishError } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { algorithmOf } from '../oci/digest.ts'
import { BUNDLE_PREDICATE_TYPE } from './media-types.ts'
import { legacyTag } from './legacy.ts'
import { SIGNATURE_PREDICATE } from './statement.ts'

/** What was there, and did not do. */
export interface Refused {
  /** One sentence for each signature. */
  readonly reasons: string[]
  readonly unreadable: string[]
}

interface Looked {
  readonly source: Source
  readonly subject: Descriptor
  /** Predicate types. */
  readonly wanted: readonly string[]
}

/** Everybody may attach signatures, so that there can be any number of them. */
const MAX_TOLD = 10

/** Says why nothing vouches for a manifest: with each signature what is wrong with it, or that there is none. */
export async function nothingTrusted(
  looked: Looked,
  { reasons, unreadable }: Refused,
  io: Abortable,
): Promise<OciPublishError> {
  const { source, subject, wanted } = looked
  const where = `${source.place}@${subject.digest}`
  const isSignature = wanted.includes(SIGNATURE_PREDICATE)
  if (reasons.length > 0) {
    const what = `no ${isSignature ? 'signature' : 'attestation'} of it is to be trusted`
    return new OciPublishError('VERIFICATION_FAILED', `${where}: ${what}: ${told(reasons)}`)
  }
  const others = (await statedOf(looked, io)).filter(one => !wanted.includes(one))
  const states = wanted.filter(one => one !== SIGNATURE_PREDICATE).join(' or ')
  const message = [
    isSignature ? `${where} is not signed: ${lookedFor(looked)}` : `${where} has no attestation of ${states}`,
    ...(others.length > 0 ? [`others state ${told(others)}`] : []),
    ...(unreadable.length > 0 ? [`what cannot be read: ${told(unreadable)}`] : []),
  ]
  const command = isSignature
    ? `oci-publish sign ${where}`
    : `oci-publish attest ${where} --predicate-type ${wanted[0] ?? ''} --predicate-path FILE`
  const hint = `whoever publishes it can run "${command}"; "oci-publish discover ${where}" shows what it has`
  return new OciPublishError('NOT_SIGNED', message.join('; '), { hint })
}

/** What the bundles say that they state, as far as the list of referrers tells. */
async function statedOf({ source, subject }: Looked, { signal }: Abortable): Promise<readonly string[]> {
  const types = new Set<string>()
  if (!listsReferrers(source)) return []
  for await (const { annotations } of source.referrers(subject, { signal })) {
    const type = annotations?.[BUNDLE_PREDICATE_TYPE]
    if (type !== undefined) types.add(type)
  }
  return [...types]
}

function lookedFor({ source, subject }: Looked): string {
  const referrers = listsReferrers(source) ? 'no bundle says so' : `${source.place} keeps no list of referrers`
  return algorithmOf(subject.digest) === 'sha256'
    ? `${referrers}, and there is no signature under the tag ${legacyTag(subject.digest)}`
    : referrers
}

function told(all: readonly string[]): string {
  const more = all.length - MAX_TOLD
  return [...all.slice(0, MAX_TOLD), ...(more > 0 ? [`and ${more} more`] : [])].join('; ')
}
