import type { X509Certificate } from 'node:crypto'
import { identityOf } from './certificate.ts'
import { verifySignature } from './key-signer.ts'
import type { SignedBy } from './signer.ts'

/** A signer as verifiers know it: by key or certificate, or by what the certificate would say if it were there already. */
export type KnownSigner = SignedBy | { readonly san: string; readonly issuer: string }

/** A signature that is there, and over what it is. */
export interface Signed {
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
  readonly certificate: X509Certificate | undefined
}

/**
 * Whether a signature is right, and by that signer. A certificate is compared by whom it names and who vouched for that,
 * because each run has its own; that it is to be trusted is only looked at where the signer's own issuer is known, which
 * then has to be its issuer too.
 */
export function isSignedBy({ bytes, signature, certificate }: Signed, signer: KnownSigner): boolean {
  if (!('san' in signer) && signer.publicKey) {
    return certificate === undefined && isRight(() => verifySignature(signer.publicKey, bytes, signature))
  }
  if (!certificate || !isRight(() => verifySignature(certificate.publicKey, bytes, signature))) return false
  return isRight(() => {
    const { san, issuer } = 'san' in signer ? signer : identityOf(signer.certificate)
    const [authority] = 'san' in signer ? [] : signer.chain
    const given = identityOf(certificate)
    return given.san === san && given.issuer === issuer && (!authority || certificate.verify(authority.publicKey))
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
