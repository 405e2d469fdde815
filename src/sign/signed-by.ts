import type { KeyObject, X509Certificate } from 'node:crypto'
import { OciPublishError } from '../errors.ts'
import type { Annotations } from '../oci/descriptor.ts'
import { identityOf, type CertificateIdentity } from './certificate.ts'
import { keyHint } from './key-signer.ts'
import type { IdentityPolicy, KeyPolicy } from './policy.ts'
import type { TrustedRoot } from './trusted-root.ts'
import { fits, type Wanted } from './wanted.ts'

/** A policy with what it names at hand: its key, or who issues certificates. */
export type ReadPolicy =
  | (KeyPolicy & { readonly publicKey: KeyObject; readonly root: TrustedRoot | undefined })
  | (IdentityPolicy & { readonly root: TrustedRoot })

/** Whose a verified signature is. */
export type VerifiedBy =
  | { readonly keyHint: string; readonly identity?: undefined }
  | { readonly keyHint?: undefined; readonly identity: CertificateIdentity }

/**
 * Whose a signature says that it is, if that is whom the policy trusts. Whether it is true is to be verified.
 *
 * @throws {OciPublishError} VERIFICATION_FAILED with who it is instead
 */
export function expectSigner(
  certificate: X509Certificate | undefined,
  signedKeyHint: string | undefined,
  policy: ReadPolicy,
): VerifiedBy {
  if (policy.key !== undefined) {
    const hint = keyHint(policy.publicKey)
    if (certificate) throw otherSigner(`signed by ${whoText(identityOf(certificate))}, not with the key ${hint}`)
    return { keyHint: hint }
  }
  if (!certificate) {
    const key = signedKeyHint === undefined ? 'a key' : `the key ${signedKeyHint}`
    throw otherSigner(`signed with ${key}, not by ${wantedWho(policy)}`)
  }
  const identity = identityOf(certificate)
  if (fits(policy.identity, identity.san) && identity.issuer !== undefined && fits(policy.issuer, identity.issuer)) {
    return { identity }
  }
  throw otherSigner(`signed by ${whoText(identity)}, not by ${wantedWho(policy)}`)
}

/**
 * Compares what a signature says besides with what has to be said.
 *
 * @throws {OciPublishError} VERIFICATION_FAILED
 */
export function expectAnnotations(given: Annotations, wanted: Annotations): void {
  for (const [key, value] of Object.entries(wanted)) {
    const has = Object.hasOwn(given, key) ? given[key] : undefined
    if (has === value) continue
    const instead = has === undefined ? 'does not have it' : `has "${has}"`
    throw otherSigner(`the annotation ${key} has to be "${value}", and the signature ${instead}`)
  }
}

/** For messages: the name with who vouched for it. */
export function whoText({ san, issuer = 'none' }: CertificateIdentity): string {
  return `${san} (issuer ${issuer})`
}

function wantedWho({ identity, issuer }: IdentityPolicy): string {
  return `${wantedText(identity)} (issuer ${wantedText(issuer)})`
}

function wantedText({ text, pattern }: Wanted): string {
  return pattern ? `/${text}/` : text
}

function otherSigner(reason: string): OciPublishError {
  return new OciPublishError('VERIFICATION_FAILED', reason)
}
