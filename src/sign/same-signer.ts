import type { X509Certificate } from 'node:crypto'
import { identityOf } from './certificate.ts'
import { verifySignature } from './key-signer.ts'
import type { SignedBy } from './signer.ts'

/** A signature that is there, and over what it is. */
export interface Signed {
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
  readonly certificate: X509Certificate | undefined
}

/**
 * Whether a signature is right, and by that signer. A certificate is compared by whom it names, who vouched for that, and who
 * issued it, because each run has its own.
 */
export function isSignedBy({ bytes, signature, certificate }: Signed, signer: SignedBy): boolean {
  const key = signer.publicKey ?? certificate?.publicKey
  if (!key || !isRight(() => verifySignature(key, bytes, signature))) return false
  if (signer.publicKey) return certificate === undefined
  if (!certificate) return false
  return isRight(() => {
    const own = identityOf(signer.certificate)
    const given = identityOf(certificate)
    const [authority] = signer.chain
    return (
      given.san === own.san &&
      given.issuer === own.issuer &&
      // A workflow that several repositories call has one name for all of them.
      given.sourceRepositoryUri === own.sourceRepositoryUri &&
      given.sourceRepositoryId === own.sourceRepositoryId &&
      (!authority || certificate.verify(authority.publicKey))
    )
  })
}

/** What cannot be read or checked is by nobody: a key of a kind that signs nothing, a certificate that names nobody. */
function isRight(check: () => boolean): boolean {
  try {
    return check()
  } catch {
    return false
  }
}
