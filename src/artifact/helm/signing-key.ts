import { readFile } from 'node:fs/promises'
import type { Abortable } from '../../async/abortable.ts'
import { InputError, messageOf } from '../../errors.ts'
import type { SigningKey } from './provenance.ts'

/** Where a key is, or the key itself. */
export interface KeySource {
  /** Armored or base64 text of a private key, or the path of a file with one. */
  readonly text: string
  readonly passphrase: string | undefined
}

/** Longer than any path, shorter than any key in base64. */
const MAX_PATH = 255

/**
 * @throws {InputError} for what is neither a key nor a file; what was given is not repeated, because it may be half a key
 */
export async function readSigningKey({ text, passphrase }: KeySource, { signal }: Abortable = {}): Promise<SigningKey> {
  const trimmed = text.trim()
  if (trimmed.startsWith('-----BEGIN') || trimmed.includes('\n') || trimmed.length > MAX_PATH) {
    return { privateKey: trimmed, passphrase }
  }
  try {
    return { privateKey: await readFile(trimmed, { signal }), passphrase }
  } catch (error) {
    signal?.throwIfAborted()
    const { code } = error as NodeJS.ErrnoException
    const problem = `is neither a PGP key nor a file that can be read (${code ?? messageOf(error)})`
    const hint = 'give a path, or what "gpg --export-secret-keys --armor KEY" prints'
    // Without the cause: its message has the text that was taken for a path, which may be half a key.
    throw new InputError([{ input: 'chart-sign-key', problem, hint }])
  }
}
