import { readFile } from 'node:fs/promises'
import type { Abortable } from '../async/abortable.ts'
import { InputError, messageOf } from '../errors.ts'
import { parseJson } from '../parse.ts'

/**
 * A policy as it was typed: the JSON itself, or the path of a file with it. What AWS makes of it, AWS says; that it is
 * JSON is looked at before a repository is made that would then lack it.
 *
 * @param input its name, for the error
 * @throws {InputError}
 */
export async function readPolicy(input: string, typed: string, { signal }: Abortable = {}): Promise<string> {
  const isText = typed.trimStart().startsWith('{')
  try {
    const text = isText ? typed : await readFile(typed.trim(), { encoding: 'utf8', signal })
    parseJson(text, isText ? 'the policy' : typed.trim())
    return text
  } catch (error) {
    signal?.throwIfAborted()
    throw new InputError([{ input, problem: messageOf(error), hint: 'give the JSON, or a file with it' }], {
      cause: error,
    })
  }
}
