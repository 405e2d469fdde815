import { generateKeyPairSync, type KeyObject } from 'node:crypto'

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
