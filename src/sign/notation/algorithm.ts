import { constants, sign, verify, type KeyObject, type SignKeyObjectInput } from 'node:crypto'
import type { Abortable } from '../../async/abortable.ts'

/** How a key signs: its kind and size say it, nobody chooses (Notary Project signature specification, "Algorithm Selection"). */
export interface Algorithm {
  /** As in the header of a JWS (RFC 7518, section 3.1). */
  readonly name: 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512'
  readonly hash: 'sha256' | 'sha384' | 'sha512'
}

const BY_KEY: ReadonlyMap<string, Algorithm> = new Map([
  ['RSA 2048', { name: 'PS256', hash: 'sha256' }],
  ['RSA 3072', { name: 'PS384', hash: 'sha384' }],
  ['RSA 4096', { name: 'PS512', hash: 'sha512' }],
  ['EC prime256v1', { name: 'ES256', hash: 'sha256' }],
  ['EC secp384r1', { name: 'ES384', hash: 'sha384' }],
  ['EC secp521r1', { name: 'ES512', hash: 'sha512' }],
])

/** Which keys sign for Notation, for messages. */
export const USABLE_KEYS = 'RSA of 2048, 3072 or 4096 bits, or EC on P-256, P-384 or P-521'

/** @returns undefined for a key that Notation does not take */
export function algorithmOf(key: KeyObject): Algorithm | undefined {
  return BY_KEY.get(describeKey(key))
}

/** What kind of key it is: `RSA 2048`, `EC secp256k1`, `ed25519`. */
export function describeKey({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string {
  if (type === 'rsa') return `RSA ${details?.modulusLength}`
  if (type === 'ec') return `EC ${details?.namedCurve}`
  return type ?? 'secret'
}

/** Off the main thread: RSA with 4096 bits takes milliseconds. */
export async function signBytes(
  bytes: Uint8Array,
  key: KeyObject,
  { hash }: Algorithm,
  { signal }: Abortable = {},
): Promise<Uint8Array> {
  signal?.throwIfAborted()
  return new Promise((resolve, reject) => {
    sign(hash, bytes, inputOf(key), (error, signature) => {
      if (error) reject(error)
      else resolve(signature)
    })
  })
}

export async function verifyBytes(
  bytes: Uint8Array,
  signature: Uint8Array,
  key: KeyObject,
  { hash }: Algorithm,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    verify(hash, bytes, inputOf(key), signature, (error, isValid) => {
      if (error) reject(error)
      else resolve(isValid)
    })
  })
}

/** ECDSA as r and s one after the other, not in DER (RFC 7518, section 3.4); RSA as PSS with a salt as long as the hash. */
function inputOf(key: KeyObject): SignKeyObjectInput {
  return key.asymmetricKeyType === 'ec'
    ? { key, dsaEncoding: 'ieee-p1363' }
    : { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
}
