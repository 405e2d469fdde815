import { readFile } from 'node:fs/promises'
import type { Abortable } from '../async/abortable.ts'
import { InputError, messageOf } from '../errors.ts'
import { PEM_BEGIN, mayBeBase64, mayBeKey } from './key-or-path.ts'

export interface KeySourceIo extends Abortable {
  /** Where `env://NAME` is looked up. */
  readonly env: NodeJS.ProcessEnv
}

const SCHEME = /^([a-z][a-z0-9+]*):\/\//i
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Only names as variables usually have them are repeated. */
const SAFE_VARIABLE = /^[A-Z][A-Z0-9_]{0,63}$/

const WAYS = 'give PEM text, base64 of it, env://NAME, or the path of a file'

/**
 * The text of a private or public key, from where the user says that it is: PEM itself, PEM in base64, `env://NAME` for a
 * variable with either, or the path of a file with either.
 *
 * @param input whose value `text` is; named in errors
 * @throws {InputError} for what is none of these; what was given is not repeated, because it may be half a key
 */
export async function readKeyText(text: string, input: string, { env, signal }: KeySourceIo): Promise<string> {
  const given = text.trim()
  if (given === '') throw refused(input, 'is empty', WAYS)
  const itself = pemOf(given)
  if (itself !== undefined) return itself
  const scheme = SCHEME.exec(given)?.[1]?.toLowerCase()
  if (scheme === 'env') return fromVariable(given.slice('env://'.length), input, env)
  if (scheme !== undefined) throw refused(input, `begins with "${scheme}://", and no key is read from there`, WAYS)
  if (mayBeKey(given)) {
    throw refused(input, 'is neither PEM nor base64 of PEM, and no path either', WAYS)
  }
  const content = await fromFile(given, input, { signal })
  return pemOf(content.trim()) ?? content
}

/** PEM that a text is, or stands for. */
function pemOf(text: string): string | undefined {
  if (text.includes(PEM_BEGIN)) return text
  if (!mayBeBase64(text)) return undefined
  const decoded = Buffer.from(text, 'base64').toString('utf8').trim()
  return decoded.includes(PEM_BEGIN) ? decoded : undefined
}

function fromVariable(name: string, input: string, env: NodeJS.ProcessEnv): string {
  if (!VARIABLE.test(name)) throw refused(input, 'has something after "env://" that is no name of a variable', WAYS)
  const shown = SAFE_VARIABLE.test(name) ? name : 'of that name'
  const value = env[name]?.trim() ?? ''
  if (value === '') {
    const hint = `set it in the step: env: { ${SAFE_VARIABLE.test(name) ? name : 'NAME'}: \${{ secrets.SIGNING_KEY }} }`
    throw refused(input, `the environment variable ${shown} is not set, or empty`, hint)
  }
  const pem = pemOf(value)
  if (pem !== undefined) return pem
  throw refused(
    input,
    `the environment variable ${shown} has neither PEM nor base64 of PEM`,
    'put the key itself there',
  )
}

/** The system's own words repeat the path, so that they are no cause of the error. */
async function fromFile(path: string, input: string, { signal }: Abortable): Promise<string> {
  try {
    return await readFile(path, { encoding: 'utf8', signal })
  } catch (error) {
    signal?.throwIfAborted()
    const code = (error as NodeJS.ErrnoException).code ?? messageOf(error)
    throw refused(input, `is neither a key nor a file that can be read (${code})`, WAYS)
  }
}

function refused(input: string, problem: string, hint: string): InputError {
  return new InputError([{ input, problem, hint }])
}
