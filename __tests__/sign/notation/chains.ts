import { generateKeyPairSync, type KeyObject, type X509Certificate } from 'node:crypto'
import { authorityOf, certificateOf, type CertificateParts } from '../../support/certificates.ts'

export function ecKey(namedCurve = 'P-256'): KeyObject {
  return generateKeyPairSync('ec', { namedCurve }).privateKey
}

export function rsaKey(modulusLength: number): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength }).privateKey
}

export const ROOT = { C: 'US', O: 'Acme', CN: 'Root' }
export const INTERMEDIATE = { C: 'US', O: 'Acme', CN: 'Issuing' }
export const LEAF = { C: 'US', ST: 'WA', O: 'Acme', CN: 'Signer' }

export interface MadeChain {
  readonly key: KeyObject
  /** The certificate of the key, an intermediate, the root. */
  readonly chain: readonly [X509Certificate, X509Certificate, X509Certificate]
  readonly root: X509Certificate
}

/** A chain as it should be, but for what is said of its certificates. */
export function chainOf({
  key = ecKey(),
  leaf,
  intermediate,
  root,
}: {
  readonly key?: KeyObject
  readonly leaf?: Partial<CertificateParts>
  readonly intermediate?: Partial<CertificateParts>
  readonly root?: Partial<CertificateParts>
} = {}): MadeChain {
  const [rootKey, issuingKey] = [ecKey(), ecKey()]
  const top = authorityOf({ subject: ROOT, key: rootKey, ...root })
  const middle = authorityOf({
    ...{ subject: INTERMEDIATE, key: issuingKey, issuer: { subject: ROOT, key: rootKey } },
    ...intermediate,
  })
  const issuer = { subject: INTERMEDIATE, key: issuingKey }
  return { key, chain: [certificateOf({ subject: LEAF, key, issuer, ...leaf }), middle, top], root: top }
}

/** 1 June 2026. */
export const NOW = 1_780_272_000
