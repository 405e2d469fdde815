import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import type { Signer } from './signer.ts'

/** Signs with a private key that is here. The work is done on the thread pool. */
export function keySigner(key: KeyObject): Signer {
  const algorithm = algorithmOf(key)
  return {
    publicKey: createPublicKey(key),
    sign(bytes, { signal } = {}) {
      return new Promise((resolve, reject) => {
        signal?.throwIfAborted()
        sign(algorithm, bytes, key, (error, signature) => {
          if (error) reject(error)
          else resolve(signature)
        })
      })
    },
  }
}

/** Whether a signature is what `keySigner` makes of these bytes with the private half of a key. */
export function verifySignature(publicKey: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify(algorithmOf(publicKey), bytes, publicKey, signature)
}

/** How sigstore bundles name a key: the SHA-256 of its SubjectPublicKeyInfo, in base64. */
export function keyHint(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64')
}

/** Ed25519 hashes by itself. */
function algorithmOf({ asymmetricKeyType }: KeyObject): 'sha256' | null {
  return asymmetricKeyType === 'ed25519' ? null : 'sha256'
}
