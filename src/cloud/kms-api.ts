import type { Abortable } from '../async/abortable.ts'
import type { AwsKmsKey } from './kms-uri.ts'

/** What KMS says of a key whose public half it shows. */
export interface KmsPublicKey {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  /** `ECC_NIST_P256`, `RSA_2048`, … */
  readonly keySpec: string
  /** `SIGN_VERIFY`, `ENCRYPT_DECRYPT`, … */
  readonly keyUsage: string
}

export type KmsAlgorithm = 'ECDSA_SHA_256' | 'RSASSA_PKCS1_V1_5_SHA_256'

export interface KmsMessage {
  readonly algorithm: KmsAlgorithm
  /** `RAW` is hashed there and 4096 bytes long at most; `DIGEST` is hashed already. */
  readonly type: 'RAW' | 'DIGEST'
  readonly bytes: Uint8Array
}

/** What is asked of KMS about one key. Errors are AWS's own; {@link kmsFailure} puts them into words. */
export interface KmsApi {
  publicKey(io: Abortable): Promise<KmsPublicKey>
  sign(message: KmsMessage, io: Abortable): Promise<Uint8Array>
}

/** Rights as policies name them. */
export type KmsAction = 'kms:GetPublicKey' | 'kms:Sign'

/** Gives the API of a key; what talks to AWS is loaded with the first one. */
export type OpenKmsApi = (key: AwsKmsKey) => Promise<KmsApi>
