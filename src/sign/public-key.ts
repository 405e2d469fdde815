import { createPublicKey, type KeyObject } from 'node:crypto'
import { invalidKey } from './invalid-key.ts'
import { checkKeyKind } from './key-kind.ts'
import { pemBlocks } from './pem.ts'
import { unfitKey } from './unfit-key.ts'

const LABELS: ReadonlySet<string> = new Set(['PUBLIC KEY', 'RSA PUBLIC KEY'])

/**
 * Reads a public key in PEM: SubjectPublicKeyInfo, or PKCS #1. A private key beside it is refused.
 *
 * @param where names the key in errors
 * @throws {OciPublishError} INVALID_KEY
 */
export function readPublicKey(text: string, where: string): KeyObject {
  const blocks = pemBlocks(text, where)
  const [block, another] = blocks.filter(({ label }) => LABELS.has(label))
  const isSecret = blocks.some(({ label }) => label.endsWith('PRIVATE KEY'))
  if (block === undefined || isSecret) throw unfitKey(text, blocks, 'public', where)
  if (another !== undefined) throw invalidKey(where, 'has more than one public key', { hint: 'give only one' })
  let key: KeyObject
  try {
    key = createPublicKey(block.text)
  } catch (cause) {
    const hint =
      'compare it with the file that it was copied from; "openssl pkey -pubin -in KEY -noout" has to accept it'
    throw invalidKey(where, 'is no public key that can be read', { cause, hint })
  }
  return checkKeyKind(key, where)
}
