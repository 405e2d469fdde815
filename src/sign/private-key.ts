import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { Abortable } from '../async/abortable.ts'
import { messageOf, type OciPublishError } from '../errors.ts'
import { COSIGN_KEY_LABELS, decryptCosignKey } from './cosign-key.ts'
import { invalidKey } from './invalid-key.ts'
import { checkKeyKind } from './key-kind.ts'
import { pemBlocks, type PemBlock } from './pem.ts'
import { unfitKey } from './unfit-key.ts'

export interface PrivateKeyOptions extends Abortable {
  /** May be empty, which is a passphrase too; without one, encrypted keys are tried with the empty one. */
  readonly passphrase?: string | undefined
}

const ENCRYPTED = 'ENCRYPTED PRIVATE KEY'
const LABELS: ReadonlySet<string> = new Set([
  ...COSIGN_KEY_LABELS,
  ...[ENCRYPTED, 'PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY', 'DSA PRIVATE KEY'],
])

/**
 * Reads a private key in PEM: as cosign encrypts them, PKCS #8, SEC 1 or PKCS #1. Other blocks beside it, such as
 * certificates, do no harm.
 *
 * @param where names the key in errors
 * @throws {OciPublishError} INVALID_KEY; the text of the key is never repeated
 */
export async function readPrivateKey(
  text: string,
  where: string,
  { passphrase, signal }: PrivateKeyOptions = {},
): Promise<KeyObject> {
  const blocks = pemBlocks(text, where)
  const [block, another] = blocks.filter(({ label }) => LABELS.has(label))
  if (block === undefined) throw unfitKey(text, blocks, 'private', where)
  if (another !== undefined) throw invalidKey(where, 'has more than one private key', { hint: 'give only one' })
  const key = COSIGN_KEY_LABELS.has(block.label)
    ? await fromCosign(block, where, { passphrase, signal })
    : fromPem(block, where, passphrase)
  return checkKeyKind(key, where)
}

async function fromCosign(block: PemBlock, where: string, options: PrivateKeyOptions): Promise<KeyObject> {
  const { passphrase, signal } = options
  const der = await decryptCosignKey(block, passphrase ?? '', where, { signal })
  if (der === undefined) throw notDecrypted(where, passphrase)
  return created(where, () => createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' }))
}

function fromPem(block: PemBlock, where: string, passphrase: string | undefined): KeyObject {
  const { label, text: key } = block
  const isEncrypted = label === ENCRYPTED || /^Proc-Type:.*ENCRYPTED/m.test(key)
  if (!isEncrypted) return created(where, () => createPrivateKey(key))
  try {
    return createPrivateKey({ key, passphrase: passphrase ?? '' })
  } catch (cause) {
    if (passphrase !== undefined && isUnsupported(cause)) {
      const hint = '"openssl pkcs8 -topk8 -v2 aes-256-cbc -provider legacy -provider default -in KEY" encrypts it anew'
      throw invalidKey(where, 'is encrypted in a way that is not read any more, or damaged', { cause, hint })
    }
    throw notDecrypted(where, passphrase, cause)
  }
}

/** OpenSSL 3 says so of ciphers that it has given up, such as DES and RC4, whatever the passphrase. */
function isUnsupported(error: unknown): boolean {
  return messageOf(error).endsWith('::unsupported')
}

function created(where: string, create: () => KeyObject): KeyObject {
  try {
    return create()
  } catch (cause) {
    const hint =
      'compare it with the file that it was copied from; "openssl pkey -in KEY -check -noout" has to accept it'
    throw invalidKey(where, 'is no private key that can be read', { cause, hint })
  }
}

function notDecrypted(where: string, passphrase: string | undefined, cause?: unknown): OciPublishError {
  const problem =
    passphrase === undefined
      ? 'is encrypted, and no passphrase is given'
      : 'cannot be decrypted: the passphrase is wrong, or the key is damaged'
  const hint = 'the passphrase is taken from the input sign-password, or from the environment variable COSIGN_PASSWORD'
  return invalidKey(where, problem, { hint, ...(cause !== undefined && { cause }) })
}
