import type { Abortable } from '../async/abortable.ts'
import type { SigningIdentity } from './signer.ts'
import type { KnownSigner } from './vouched.ts'
import type { Witnesses } from './witness.ts'

/** One way to sign: a key, or an identity with the certificates that it gets; and who testifies to it. */
export interface SigningMeans {
  /** For messages: `the key cosign.key`, `keyless`. */
  readonly title: string
  /** As verifiers are told of it: `cosign.pub`, `awskms:///alias/release`; undefined for a certificate, which tells itself. */
  readonly verifiedBy: { readonly key: string } | undefined
  /**
   * Where verifiers know those who certify and log from: the public good instance of sigstore, a file of the user's (or no
   * need for one), or unknown.
   */
  readonly trustedRoot: 'public-good' | 'given' | 'unknown'
  /**
   * Asks for a certificate where one is needed; the same one for everything that is signed in a run, while it is valid. That
   * is needed to see that an equal signature is there, too: anybody can make a certificate with the same name in it.
   */
  readonly identity: (io: Abortable) => Promise<SigningIdentity>
  /** Whose signatures of earlier runs are ours; undefined where that is known only once there is a certificate. */
  readonly known: KnownSigner | undefined
  readonly witnesses: Witnesses
}
