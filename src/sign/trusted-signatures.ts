import type { Abortable } from '../async/abortable.ts'
import { listsReferrers, type Source } from '../content/ports.ts'
import { OciPublishError, messageOf } from '../errors.ts'
import type { Annotations, Descriptor } from '../oci/descriptor.ts'
import { shortDigest, type Digest } from '../oci/digest.ts'
import type { SignedEnvelope } from './bundle.ts'
import type { Testimony } from './check-signature.ts'
import { findBundles } from './find-bundles.ts'
import { findLegacyAttestations } from './find-legacy-attestations.ts'
import { findLegacySignatures } from './find-legacy.ts'
import type { Refused } from './not-verified.ts'
import type { ReadPolicy, VerifiedBy } from './signed-by.ts'
import { SIGNATURE_PREDICATE, type Statement } from './statement.ts'
import { verifyBundle } from './verify-bundle.ts'
import { verifyLegacy } from './verify-legacy.ts'

/** A signature or attestation that satisfies a policy. */
export interface VerifiedSignature extends Testimony {
  readonly form: 'bundle' | 'legacy'
  readonly by: VerifiedBy
  readonly predicateType: string
  readonly annotations: Annotations
  /** What was signed: JSON. */
  readonly payload: Uint8Array
  /** undefined for a signature in the older form, which states nothing else. */
  readonly statement: Statement | undefined
  /** Of the manifest that holds the bundle, or of the layer in the older form. */
  readonly digest: Digest
}

/** Of whom it is known what has to be stated. */
export type TypedPolicy = ReadPolicy & { readonly predicateType: string }

export interface Looking extends Abortable {
  readonly source: Source
  readonly subject: Descriptor
  readonly policies: readonly TypedPolicy[]
}

/** The bundles that satisfy a policy. */
export async function trustedBundles(looking: Looking, refused: Refused): Promise<readonly VerifiedSignature[]> {
  const { source, subject, signal } = looking
  if (!listsReferrers(source)) return []
  const wanted = typesOf(looking)
  const predicateType = wanted.size === 1 ? [...wanted][0] : undefined
  const onUnreadable = unreadableTo(refused)
  const verified: VerifiedSignature[] = []
  for await (const found of findBundles(source, subject, { predicateType, onUnreadable, signal })) {
    const { digest } = found.descriptor
    const about = { ...found, form: 'bundle', digest, title: `bundle ${shortDigest(digest)}` } as const
    verified.push(...(await trustedStatement(about, looking, refused)))
  }
  return verified
}

/** The signatures in the older form that satisfy a policy. */
export async function olderSignatures(looking: Looking, refused: Refused): Promise<readonly VerifiedSignature[]> {
  const { source, subject, policies, signal } = looking
  const asking = policies.filter(one => one.predicateType === SIGNATURE_PREDICATE)
  if (asking.length === 0) return []
  const onUnreadable = unreadableTo(refused)
  const verified: VerifiedSignature[] = []
  await untilUnreadable(refused, async () => {
    for await (const found of findLegacySignatures(source, subject, { onUnreadable, signal })) {
      const { digest } = found.payload
      const where = `signature ${shortDigest(digest)} in the older form`
      const one = await firstOf(asking, where, refused, async policy => {
        const { payload: says, ...rest } = await verifyLegacy(found, { subject: subject.digest, policy, where })
        const about = { predicateType: SIGNATURE_PREDICATE, annotations: says.annotations, statement: undefined }
        return { form: 'legacy' as const, ...rest, ...about, payload: found.bytes, digest }
      })
      verified.push(...one)
    }
  })
  return verified
}

/** The attestations in the older form that satisfy a policy. */
export async function olderAttestations(looking: Looking, refused: Refused): Promise<readonly VerifiedSignature[]> {
  const { source, subject, signal } = looking
  const predicateTypes = new Set([...typesOf(looking)].filter(one => one !== SIGNATURE_PREDICATE))
  if (predicateTypes.size === 0) return []
  const options = { predicateTypes, onUnreadable: unreadableTo(refused), signal }
  const verified: VerifiedSignature[] = []
  await untilUnreadable(refused, async () => {
    for await (const found of findLegacyAttestations(source, subject, options)) {
      const { digest } = found.layer
      const title = `attestation ${shortDigest(digest)} in the older form`
      verified.push(...(await trustedStatement({ ...found, form: 'legacy', digest, title }, looking, refused)))
    }
  })
  return verified
}

interface Stated {
  readonly form: 'bundle' | 'legacy'
  readonly digest: Digest
  /** For messages. */
  readonly title: string
  readonly bundle: SignedEnvelope
  readonly statement: Statement
}

/** Nothing where no policy asks for what is stated, or none is satisfied. */
function trustedStatement(
  { form, digest, title, bundle, statement: { predicateType } }: Stated,
  { subject, policies }: Looking,
  refused: Refused,
): Promise<readonly VerifiedSignature[]> {
  const asking = policies.filter(one => one.predicateType === predicateType)
  return firstOf(asking, title, refused, async policy => {
    const { statement, ...rest } = await verifyBundle(bundle, { subject: subject.digest, policy })
    const annotations = statement.subjects.find(one => one.digest === subject.digest)?.annotations ?? {}
    return { form, ...rest, predicateType, annotations, payload: bundle.envelope.payload, statement, digest }
  })
}

/** What the first policy that is satisfied gives; nothing, with why, where there is none. */
async function firstOf<T>(
  policies: readonly TypedPolicy[],
  title: string,
  { reasons }: Refused,
  verify: (policy: TypedPolicy) => Promise<T>,
): Promise<readonly T[]> {
  const why = new Set<string>()
  for (const policy of policies) {
    try {
      return [await verify(policy)]
    } catch (error) {
      if (!(error instanceof OciPublishError)) throw error
      why.add(messageOf(error))
    }
  }
  if (why.size > 0) reasons.push(`${title}: ${[...why].join('; ')}`)
  return []
}

function typesOf({ policies }: Looking): ReadonlySet<string> {
  return new Set(policies.map(one => one.predicateType))
}

function unreadableTo({ unreadable }: Refused): (text: string) => void {
  return text => void unreadable.push(text)
}

/** Something else may be under a tag of the older form. */
async function untilUnreadable({ unreadable }: Refused, look: () => Promise<void>): Promise<void> {
  try {
    await look()
  } catch (error) {
    if (!(error instanceof OciPublishError) || !['UNSUPPORTED', 'INVALID_DOCUMENT'].includes(error.code)) throw error
    unreadable.push(messageOf(error))
  }
}
