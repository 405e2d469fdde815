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

/** Keys that are refused, each with what is said of it. */
export const REFUSED_KINDS: readonly (readonly [
  string,
  { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
])[] = [
  ['is an X25519 key, which agrees on secrets and cannot sign', generateKeyPairSync('x25519')],
  ['is an X448 key, which agrees on secrets and cannot sign', generateKeyPairSync('x448')],
  ['is an Ed448 key, which verifiers of images do not know', generateKeyPairSync('ed448')],
  [
    'is a DSA key, which verifiers of images do not know',
    generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }),
  ],
  [
    'is a key for RSA-PSS only, and images are signed with RSA as in PKCS #1 v1.5',
    generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
  ],
  ['is an RSA key of 1024 bits, which is too short', generateKeyPairSync('rsa', { modulusLength: 1024 })],
  [
    'is an ECDSA key on secp256k1, which verifiers of images do not know',
    generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  ],
  [
    'is an ECDSA key on prime239v1, which verifiers of images do not know',
    generateKeyPairSync('ec', { namedCurve: 'prime239v1' }),
  ],
]

export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBdzCCAR2gAwIBAgIUc+not+a+real+one+at+all+AAAA==
-----END CERTIFICATE-----
`

export function pem(key: KeyObject): string {
  return key
    .export(key.type === 'private' ? { type: 'pkcs8', format: 'pem' } : { type: 'spki', format: 'pem' })
    .toString()
}
