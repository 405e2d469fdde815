import { randomBytes, scrypt } from 'node:crypto'
import * as v from 'valibot'
import type { Abortable } from '../async/abortable.ts'
import { invalidKey } from './invalid-key.ts'
import { formatPem, type PemBlock } from './pem.ts'

/** What cosign writes above a private key: now, and before version 2. */
export const COSIGN_KEY_LABELS: ReadonlySet<string> = new Set([
  'ENCRYPTED SIGSTORE PRIVATE KEY',
  'ENCRYPTED COSIGN PRIVATE KEY',
])

const KDF = 'scrypt'
const CIPHER = 'nacl/secretbox'
const KEY_BYTES = 32
const SALT_BYTES = 32
const NONCE_BYTES = 24

/** Costs that cosign writes or has written; with others a file could ask for any amount of memory. */
const COSTS: readonly number[] = [1 << 15, 1 << 16, 1 << 17]
const COST = 1 << 16
const BLOCK_SIZE = 8
const PARALLELISM = 1

/** scrypt takes 128 N r bytes, 128 MiB for the highest cost, and a little more. */
const MAX_MEMORY = 256 << 20

/**
 * Decrypts a private key of cosign.
 *
 * @returns PKCS #8 in DER; undefined when the passphrase does not fit
 * @throws {OciPublishError} INVALID_KEY
 */
export async function decryptCosignKey(
  { body = '' }: PemBlock,
  passphrase: string,
  where: string,
  { signal }: Abortable = {},
): Promise<Uint8Array | undefined> {
  const { kdf, cipher, ciphertext } = parseEncrypted(body, where)
  const box = await secretbox(passphrase, kdf.salt, kdf.params.N, cipher.nonce, { signal })
  try {
    return box.decrypt(ciphertext)
  } catch {
    return undefined
  }
}

/**
 * Encrypts a private key the way cosign does.
 *
 * @param der PKCS #8
 * @param passphrase may be empty
 * @returns PEM text
 */
export async function encryptCosignKey(der: Uint8Array, passphrase: string, io: Abortable = {}): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const nonce = randomBytes(NONCE_BYTES)
  const box = await secretbox(passphrase, salt, COST, nonce, io)
  const encrypted = {
    kdf: { name: KDF, params: { N: COST, r: BLOCK_SIZE, p: PARALLELISM }, salt: salt.toString('base64') },
    cipher: { name: CIPHER, nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(box.encrypt(der)).toString('base64'),
  }
  const body = Buffer.from(JSON.stringify(encrypted)).toString('base64')
  return formatPem('ENCRYPTED SIGSTORE PRIVATE KEY', body)
}

interface Secretbox {
  /** @throws {Error} unless it was encrypted with this key */
  decrypt(ciphertext: Uint8Array): Uint8Array
  encrypt(plaintext: Uint8Array): Uint8Array
}

async function secretbox(
  passphrase: string,
  salt: Uint8Array,
  cost: number,
  nonce: Uint8Array,
  { signal }: Abortable,
): Promise<Secretbox> {
  signal?.throwIfAborted()
  const { xsalsa20poly1305 } = await import('@noble/ciphers/salsa.js')
  const options = { N: cost, r: BLOCK_SIZE, p: PARALLELISM, maxmem: MAX_MEMORY }
  const key = await new Promise<Uint8Array>((resolve, reject) => {
    scrypt(passphrase, salt, KEY_BYTES, options, (error, derived) => {
      if (error) reject(error)
      else resolve(derived)
    })
  })
  signal?.throwIfAborted()
  return xsalsa20poly1305(key, nonce)
}

const bytes = v.pipe(
  v.string('is not text'),
  v.base64('is not base64'),
  v.transform(text => new Uint8Array(Buffer.from(text, 'base64'))),
)
const named = (name: string): v.GenericSchema<unknown, string> => v.literal(name, `is not "${name}"`)
const exactly = (value: number): v.GenericSchema<unknown, number> => v.literal(value, `is not ${value}`)
/** Of an object itself, and of what is missing in one. */
const objectMessage = ({ received }: { readonly received: string }): string =>
  received === 'undefined' ? 'is missing' : 'is not an object'

const schema = v.object(
  {
    kdf: v.object(
      {
        name: named(KDF),
        params: v.object(
          {
            N: v.picklist(COSTS, `is none of ${COSTS.join(', ')}`),
            r: exactly(BLOCK_SIZE),
            p: exactly(PARALLELISM),
          },
          objectMessage,
        ),
        salt: bytes,
      },
      objectMessage,
    ),
    cipher: v.object(
      {
        name: named(CIPHER),
        nonce: v.pipe(
          bytes,
          v.check(nonce => nonce.byteLength === NONCE_BYTES, `is not of ${NONCE_BYTES} bytes`),
        ),
      },
      objectMessage,
    ),
    ciphertext: bytes,
  },
  objectMessage,
)

/** What JSON.parse and the schema's own words would repeat of the key stays out of the error, as does their cause. */
function parseEncrypted(body: string, where: string): v.InferOutput<typeof schema> {
  const hint = 'make a new key with "cosign generate-key-pair" or "oci-publish generate-key-pair"'
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(body, 'base64').toString('utf8'))
  } catch {
    throw invalidKey(where, 'is damaged: there is no JSON in this private key of cosign', { hint })
  }
  const { success, output, issues } = v.safeParse(schema, value)
  if (success) return output
  const problems = issues.map(issue => `${v.getDotPath(issue) ?? 'it'} ${issue.message}`)
  throw invalidKey(where, `is no private key as cosign encrypts them: ${problems.join('; ')}`, { hint })
}
