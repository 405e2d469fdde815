import type { KeyObject, X509Certificate } from 'node:crypto'
import type { Abortable } from '../async/abortable.ts'

/** Makes signatures with one private key, wherever that is. */
export interface Signer {
  readonly publicKey: KeyObject
  /**
   * With SHA-256, whatever the curve, because that is what verifiers of bare keys use: ECDSA in DER, RSA as PKCS #1 v1.5;
   * Ed25519 over the bytes themselves.
   */
  sign(bytes: Uint8Array, io?: Abortable): Promise<Uint8Array>
}

/** Whom a verifier has to know to believe a signature. */
export type SignedBy =
  | { readonly publicKey: KeyObject; readonly certificate?: undefined }
  | {
      readonly publicKey?: undefined
      readonly certificate: X509Certificate
      /** From the issuer of the certificate to the root, as far as the authority sent them. */
      readonly chain: readonly X509Certificate[]
    }

/** A signer, and how others recognise it. */
export interface SigningIdentity {
  readonly signer: Signer
  readonly by: SignedBy
}
