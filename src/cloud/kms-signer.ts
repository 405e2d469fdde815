import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto'
import type { Abortable } from '../async/abortable.ts'
import { OciPublishError } from '../errors.ts'
import type { Signer } from '../sign/signer.ts'
import type { KmsAction, KmsAlgorithm, KmsMessage, KmsPublicKey, OpenKmsApi } from './kms-api.ts'
import { kmsFailure } from './kms-failure.ts'
import { parseKmsUri, type KmsRegions } from './kms-uri.ts'

export interface KmsSignerDeps extends KmsRegions {
  readonly open: OpenKmsApi
}

/**
 * A signer whose private key stays in AWS KMS. What it signs was verified with the public key.
 *
 * @param uri `awskms://[ENDPOINT]/[ID|ARN|alias/NAME]`
 * @throws {OciPublishError} INVALID_KEY for a URI that is none, UNSUPPORTED for keys that verifiers could not use,
 *   AWS_REFUSED with what the role needs; `sign` also WRONG_SIGNATURE
 */
export async function awsKmsSigner(uri: string, deps: KmsSignerDeps, io: Abortable = {}): Promise<Signer> {
  const key = parseKmsUri(uri, deps)
  const ask = async <T>(action: KmsAction, { signal }: Abortable, call: () => Promise<T>): Promise<T> => {
    signal?.throwIfAborted()
    try {
      return await call()
    } catch (error) {
      signal?.throwIfAborted()
      throw kmsFailure(error, key, action)
    }
  }
  const api = await deps.open(key)
  const shown = await ask('kms:GetPublicKey', io, () => api.publicKey(io))
  const algorithm = algorithmOf(shown, uri)
  const publicKey = publicKeyOf(shown, uri)
  return {
    publicKey,
    async sign(bytes, signing = {}) {
      const message = { algorithm, ...messageOf(bytes) }
      const signature = await ask('kms:Sign', signing, () => api.sign(message, signing))
      // An alias may point to another key by now, and nobody could use what that one signed.
      if (verify('sha256', bytes, publicKey, signature)) return signature
      throw new OciPublishError(
        'WRONG_SIGNATURE',
        `${uri}: AWS gave a signature that its own public key does not verify`,
        {
          hint: 'nothing was signed; if the alias was just moved to another key, run it again',
        },
      )
    },
  }
}

/** What KMS hashes itself. */
const MAX_RAW_BYTES = 4096

/**
 * Both forms give the same signature. Short messages go whole, because stand-ins for KMS are right with those only (they
 * hash a digest once more); longer ones, as those with an SBOM, KMS takes as a digest only.
 */
function messageOf(bytes: Uint8Array): Pick<KmsMessage, 'type' | 'bytes'> {
  if (bytes.length <= MAX_RAW_BYTES) return { type: 'RAW', bytes }
  return { type: 'DIGEST', bytes: createHash('sha256').update(bytes).digest() }
}

const ALGORITHMS: ReadonlyMap<string, KmsAlgorithm> = new Map([
  ['ECC_NIST_P256', 'ECDSA_SHA_256'],
  ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256'],
  ['RSA_3072', 'RSASSA_PKCS1_V1_5_SHA_256'],
  ['RSA_4096', 'RSASSA_PKCS1_V1_5_SHA_256'],
])

const OTHER_HASH =
  'with such a key KMS signs hashes other than SHA-256 only, and verifiers ("cosign verify --key") expect SHA-256'

/** First match wins. */
const UNSUPPORTED: readonly (readonly [spec: RegExp, why: string])[] = [
  [/^ECC_NIST_P(?:384|521)$/, OTHER_HASH],
  [/^ECC_SECG_P256K1$/, 'verifiers of images do not know the curve secp256k1'],
  [/^ECC_NIST_EDWARDS25519$/, 'KMS signs at most 4096 bytes with such a key, and attestations are longer'],
]

/** @throws {OciPublishError} UNSUPPORTED */
function algorithmOf({ keySpec, keyUsage }: KmsPublicKey, uri: string): KmsAlgorithm {
  const algorithm = ALGORITHMS.get(keySpec)
  if (keyUsage === 'SIGN_VERIFY' && algorithm !== undefined) return algorithm
  const why =
    keyUsage === 'SIGN_VERIFY'
      ? (UNSUPPORTED.find(([spec]) => spec.test(keySpec))?.[1] ?? 'verifiers of images do not know such keys')
      : 'it was made for something else than signatures, and that cannot be changed'
  throw new OciPublishError('UNSUPPORTED', `${uri} (${keySpec}, ${keyUsage}) cannot sign images: ${why}`, {
    hint: 'make another key: aws kms create-key --key-usage SIGN_VERIFY --key-spec ECC_NIST_P256',
  })
}

function publicKeyOf({ spki }: KmsPublicKey, uri: string): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  } catch (error) {
    throw new OciPublishError('INVALID_DOCUMENT', `${uri}: what AWS gave for the public key is none`, { cause: error })
  }
}
