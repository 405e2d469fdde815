import { OciPublishError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import { parseBundle, type SignedEnvelope } from './bundle.ts'
import { checkSignature, type Testimony } from './check-signature.ts'
import { IN_TOTO } from './envelope.ts'
import { expectAnnotations, expectSigner, type ReadPolicy, type VerifiedBy } from './signed-by.ts'
import { parseStatement, SIGNATURE_PREDICATE, type Statement } from './statement.ts'

/** A bundle that satisfies a policy. */
export interface VerifiedBundle extends Testimony {
  readonly by: VerifiedBy
  readonly statement: Statement
}

export interface VerifyBundleOptions {
  /** What the statement has to be about. */
  readonly subject: Digest
  readonly policy: ReadPolicy
  /** Names the bundle in messages, where it is given as bytes. */
  readonly where?: string
}

/**
 * Verifies that a bundle is signed by whom a policy trusts, is about the subject, and states what the policy asks for: a
 * signature, if it asks for nothing else. An attestation of whatever kind is no signature.
 *
 * @throws {OciPublishError} VERIFICATION_FAILED with one sentence about the first thing that is wrong; INVALID_DOCUMENT
 */
export async function verifyBundle(
  bundle: Uint8Array | SignedEnvelope,
  { subject, policy, where = 'bundle' }: VerifyBundleOptions,
): Promise<VerifiedBundle> {
  const { envelope, certificate, keyHint, logEntries, timestamps, timestamped } =
    bundle instanceof Uint8Array ? parseBundle(bundle, where) : bundle
  const by = expectSigner(certificate, keyHint, policy)
  const signed = { content: { envelope }, certificate, logEntries, timestamps, timestamped }
  const trust =
    policy.key === undefined ? { trustedRoot: policy.root } : { key: policy.publicKey, trustedRoot: policy.root }
  const testimony = await checkSignature(signed, trust)
  if (envelope.payloadType !== IN_TOTO) throw failed(`it is over a "${envelope.payloadType}", not a statement`)
  const statement = parseStatement(envelope.payload, `${where}, statement`)
  const { predicateType = SIGNATURE_PREDICATE, annotations } = policy
  if (statement.predicateType !== predicateType) {
    throw failed(`it states ${statement.predicateType}, not ${predicateType}`)
  }
  const about = statement.subjects.filter(({ digest }) => digest === subject)
  if (about.length === 0) {
    const digests = statement.subjects.map(({ digest }) => digest)
    throw failed(`the statement is about ${digests.join(', ') || 'nothing'}, not ${subject}`)
  }
  expectAnnotations(Object.fromEntries(about.flatMap(one => Object.entries(one.annotations ?? {}))), annotations)
  return { by, statement, ...testimony }
}

function failed(reason: string): OciPublishError {
  return new OciPublishError('VERIFICATION_FAILED', reason)
}
