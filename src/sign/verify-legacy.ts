import { OciPublishError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import { checkSignature, type Testimony } from './check-signature.ts'
import type { FoundLegacySignature } from './find-legacy.ts'
import { logEntryOf, type LegacyPayload } from './parse-legacy.ts'
import { expectAnnotations, expectSigner, type ReadPolicy, type VerifiedBy } from './signed-by.ts'
import { SIGNATURE_PREDICATE } from './statement.ts'

/** A signature in the older form that satisfies a policy. */
export interface VerifiedLegacy extends Testimony {
  readonly by: VerifiedBy
  readonly payload: LegacyPayload
}

export interface VerifyLegacyOptions {
  /** What the signature has to be about. */
  readonly subject: Digest
  readonly policy: ReadPolicy
  /** Names the signature in messages. */
  readonly where: string
}

/**
 * Verifies a signature in the older form of cosign.
 *
 * @throws {OciPublishError} VERIFICATION_FAILED with one sentence about the first thing that is wrong; INVALID_DOCUMENT
 * @see cosign, SIGNATURE_SPEC.md
 */
export async function verifyLegacy(
  { bytes, says, signature, certificate, log, timestamp }: FoundLegacySignature,
  { subject, policy, where }: VerifyLegacyOptions,
): Promise<VerifiedLegacy> {
  const { predicateType = SIGNATURE_PREDICATE, annotations } = policy
  if (predicateType !== SIGNATURE_PREDICATE) throw failed(`it is a signature, and does not state ${predicateType}`)
  const by = expectSigner(certificate, undefined, policy)
  const signed = {
    content: { bytes, signature },
    certificate,
    logEntries: log ? [logEntryOf(log, `${where}, log entry`)] : [],
    timestamps: timestamp ? [timestamp] : [],
  }
  const trust =
    policy.key === undefined ? { trustedRoot: policy.root } : { key: policy.publicKey, trustedRoot: policy.root }
  const testimony = await checkSignature(signed, trust)
  if (says.digest !== subject) throw failed(`the signature is about ${says.digest}, not ${subject}`)
  expectAnnotations(says.annotations, annotations)
  return { by, payload: says, ...testimony }
}

function failed(reason: string): OciPublishError {
  return new OciPublishError('VERIFICATION_FAILED', reason)
}
