import { open, rm, type FileHandle } from 'node:fs/promises'
import type { Abortable } from '../async/abortable.ts'
import { InputError, OciPublishError, messageOf } from '../errors.ts'
import { generateCosignKeyPair } from '../sign/generate-key-pair.ts'
import { failuresOf, isWrongRequest } from '../tell/failure.ts'
import { displayOn } from './display-on.ts'
import { failureLines } from './failure-lines.ts'
import type { Flags } from './flags.ts'
import type { Io } from './io.ts'

export interface GenerateKeyPairParts {
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

const DEFAULT_PREFIX = 'cosign'

/**
 * Makes a key pair as cosign does, in two files that must not be there yet, and prints their paths.
 *
 * @returns the exit code: 0 done, 1 it failed, 2 the request is wrong, 130 stopped
 */
export async function generateKeyPairCommand(flags: Flags, io: Io, parts: GenerateKeyPairParts): Promise<number> {
  const { env, signal } = parts
  const display = displayOn(io.stderr, { env, quiet: true })
  try {
    const { prefix, passphrase } = parseAsked(flags, env)
    io.secrets.add(passphrase)
    const pair = await generateCosignKeyPair({ passphrase, signal })
    const paths = await writePair(prefix, pair, { signal })
    io.stdout.lines(paths)
    return 0
  } catch (error) {
    if (signal.aborted) {
      display.say([`${messageOf(signal.reason)}: no key was written`])
      return 130
    }
    display.say(failureLines(failuresOf(error), { stacks: env['OCI_PUBLISH_DEBUG'] === '1' }))
    return isWrongRequest(error) ? 2 : 1
  }
}

/** @throws {InputError} with every problem */
function parseAsked(flags: Flags, env: NodeJS.ProcessEnv): { readonly prefix: string; readonly passphrase: string } {
  const given = flags['outputKeyPrefix']
  const prefix = typeof given === 'string' ? given : DEFAULT_PREFIX
  const passphrase = env['COSIGN_PASSWORD']
  const problems = [
    ...(prefix === '' ? [{ input: 'output-key-prefix', problem: 'is empty' }] : []),
    ...(passphrase === undefined
      ? [
          {
            input: 'COSIGN_PASSWORD',
            problem:
              'is not set; the passphrase that encrypts the private key is taken from there and is not asked for',
            hint: 'set it in the environment; an empty one is allowed',
          },
        ]
      : []),
  ]
  if (passphrase === undefined || problems.length > 0) throw new InputError(problems)
  return { prefix, passphrase }
}

async function writePair(
  prefix: string,
  { privateKey, publicKey }: { readonly privateKey: string; readonly publicKey: string },
  { signal }: Abortable,
): Promise<readonly string[]> {
  const files = [
    { path: `${prefix}.key`, content: privateKey, mode: 0o600 },
    { path: `${prefix}.pub`, content: publicKey, mode: 0o644 },
  ]
  const made: string[] = []
  try {
    for (const { path, content, mode } of files) {
      signal?.throwIfAborted()
      const file = await createNew(path, mode)
      made.push(path)
      try {
        await file.writeFile(content)
      } finally {
        await file.close()
      }
    }
    return made
  } catch (error) {
    // Half a pair is of no use, and would be in the way next time.
    await Promise.all(made.map(path => rm(path, { force: true })))
    throw error
  }
}

/** @throws {InputError} when something is there already, whatever it is */
async function createNew(path: string, mode: number): Promise<FileHandle> {
  try {
    return await open(path, 'wx', mode)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
      const problem = `${path} is there already, and a key is never overwritten`
      const hint = 'give another prefix, or take both files away if the key is not used any more'
      throw new InputError([{ input: 'output-key-prefix', problem, hint }], { cause })
    }
    throw new OciPublishError('FILE_NOT_WRITTEN', `${path} could not be written: ${messageOf(cause)}`, { cause })
  }
}
