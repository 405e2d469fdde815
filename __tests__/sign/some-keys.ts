import { generateKeyPairSync, type KeyObject } from 'node:crypto'

export interface SomeKey {
  readonly name: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** A key of every kind that signs, made anew. */
export function someKeys(): readonly SomeKey[] {
  return [
    { name: 'ECDSA P-256', ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) },
    { name: 'ECDSA P-384', ...generateKeyPairSync('ec', { namedCurve: 'P-384' }) },
    { name: 'ECDSA P-521', ...generateKeyPairSync('ec', { namedCurve: 'P-521' }) },
    { name: 'Ed25519', ...generateKeyPairSync('ed25519') },
    { name: 'RSA 2048', ...generateKeyPairSync('rsa', { modulusLength: 2048 }) },
  ]
}

export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBdzCCAR2gAwIBAgIUc+not+a+real+one+at+all+AAAA==
-----END CERTIFICATE-----
`

export function pem(key: KeyObject): string {
  return key
    .export(key.type === 'private' ? { type: 'pkcs8', format: 'pem' } : { type: 'spki', format: 'pem' })
    .toString()
}
