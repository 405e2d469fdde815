import type { X509Certificate } from 'node:crypto'
import { OciPublishError } from '../../errors.ts'
import type { Descriptor } from '../../oci/descriptor.ts'
import { algorithmOf, verifyBytes } from './algorithm.ts'
import { chainProblems, subjectOf } from './chain.ts'
import { parseNotation, type NotationSignature } from './parse.ts'
import { EXPIRY, PAYLOAD_TYPE, SCHEME, X509_SCHEME, rfc3339 } from './signature.ts'

export interface NotationPolicy {
  /** As the registry describes it. */
  readonly subject: Descriptor
  /** One of them has to be in the chain of the signature. */
  readonly trusted: readonly X509Certificate[]
  /** Seconds since 1970. */
  readonly now: number
}

/** Verified, or why not in one sentence. */
export type NotationVerdict =
  | { readonly signature: NotationSignature; readonly problem?: undefined }
  | { readonly signature?: undefined; readonly problem: string }

/**
 * Verifies a signature in full: the signature itself, its certificates down to one that is trusted, what it is of, and
 * until when it holds. Timestamps are not read: without them all certificates have to be valid now. Nobody is asked for
 * revocations.
 *
 * @see Notary Project specifications, trust-store-trust-policy.md, "Signature Verification"
 */
export async function verifyNotation(jws: Uint8Array, policy: NotationPolicy): Promise<NotationVerdict> {
  try {
    const signature = parseNotation(jws, 'the signature')
    const problem = headerProblem(signature) ?? (await signatureProblem(signature)) ?? policyProblem(signature, policy)
    return problem === undefined ? { signature } : { problem }
  } catch (error) {
    if (error instanceof OciPublishError) return { problem: error.message } // it cannot be read
    throw error
  }
}

const UNDERSTOOD: readonly string[] = [SCHEME, EXPIRY]

function headerProblem({ scheme, contentType, critical, signingTime, expiry }: NotationSignature): string | undefined {
  if (scheme !== X509_SCHEME) {
    return `it was made in the scheme ${scheme}, which takes the plugin of the service that signed: verify it with notation`
  }
  if (contentType !== PAYLOAD_TYPE) return `it is of "${contentType}", not of ${PAYLOAD_TYPE}`
  const unknown = critical.filter(name => !UNDERSTOOD.includes(name))
  if (unknown.length > 0) return `it asks verifiers to understand ${unknown.join(', ')}: verify it with notation`
  const needed = [SCHEME, ...(expiry === undefined ? [] : [EXPIRY])]
  const missing = needed.filter(name => !critical.includes(name))
  if (missing.length > 0) return `its header "crit" has no ${missing.join(', ')}`
  if (signingTime === undefined) return 'it does not say when it was made'
  if (expiry !== undefined && expiry <= signingTime) return 'it expires before it was made'
  return undefined
}

async function signatureProblem({
  chain,
  algorithm,
  signedBytes,
  signature,
}: NotationSignature): Promise<string | undefined> {
  const { publicKey } = chain[0]
  const expected = algorithmOf(publicKey)
  if (expected?.name !== algorithm) {
    return `it says that it was made with ${algorithm}, and its key signs with ${expected?.name ?? 'nothing that is allowed'}`
  }
  const isValid = await verifyBytes(signedBytes, signature, publicKey, expected)
  return isValid ? undefined : 'it was not made with the key of its certificate, or was changed afterwards'
}

function policyProblem(signature: NotationSignature, { subject, trusted, now }: NotationPolicy): string | undefined {
  const { chain, expiry, subject: signed } = signature
  const [problem] = chainProblems(chain, chain[0].publicKey, now)
  if (problem !== undefined) return problem
  const known = new Set(trusted.map(({ fingerprint256 }) => fingerprint256))
  if (!chain.some(({ fingerprint256 }) => known.has(fingerprint256))) {
    return `none of its certificates is trusted; it was made by ${subjectOf(chain[0])}`
  }
  if (signed.digest !== subject.digest) return `it is of ${signed.digest}, not of ${subject.digest}`
  if (signed.mediaType !== subject.mediaType || signed.size !== subject.size) {
    return `it is of ${signed.size} bytes of ${signed.mediaType}, and there are ${subject.size} bytes of ${subject.mediaType}`
  }
  if (expiry !== undefined && expiry <= now) return `it has expired on ${rfc3339(expiry)}`
  return undefined
}
