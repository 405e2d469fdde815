import { InputError } from '../errors.ts'
import type { SignedExisting, SignWords } from '../publish/sign-existing.ts'
import { entriesOf, type FieldValues } from '../publish/fields.ts'
import { signedTexts } from '../tell/signed.ts'
import { durationText } from '../tell/amount.ts'
import { runCommand, type CommandParts } from './command.ts'
import { textsOf, type Flags } from './flags.ts'
import type { Io } from './io.ts'
import { withRegistryOf } from './registry-of.ts'

export interface SignParts<D> extends CommandParts<D> {
  readonly sign: (
    words: SignWords,
    values: FieldValues,
    deps: D,
    options: { signal: AbortSignal },
  ) => Promise<SignedExisting>
}

/** Signs or attests what is published already, and tells; gives the exit code. */
export async function signCommand<D>(
  { reference, signature }: { readonly reference: string; readonly signature: boolean },
  flags: Flags,
  io: Io,
  parts: SignParts<D>,
): Promise<number> {
  const startedAt = performance.now()
  return runCommand(flags, io, parts, {
    complete: values => withSigner(flags, withRegistryOf(reference, values)),
    tellsProblems: true,
    async run({ values, deps, display, quiet }) {
      const platforms = entriesOf({ name: 'platforms', kind: 'list', sentence: '' }, textsOf(flags['platforms']))
      const words = { reference, platforms, signature }
      const signed = await parts.sign(words, values, deps, { signal: parts.signal }).catch(inFlags)
      display.end()
      if (!quiet) display.say(linesOf(signed, performance.now() - startedAt))
      if (flags['json'] === true) io.stdout.json(signed)
      else io.stdout.lines(signed.refs)
    },
    stopped: 'what was signed until then stays; the same command signs the rest',
  })
}

/** What inputs are called here; the password has no flag. */
const TYPED: ReadonlyMap<string, string> = new Map([
  ['reference', 'REFERENCE'],
  ['sign', 'key'],
  ['sign-key', 'key'],
  ['sign-password', 'COSIGN_PASSWORD'],
])

/** Problems in the words of this command. */
function inFlags(error: unknown): never {
  if (!(error instanceof InputError)) throw error
  throw new InputError(error.problems.map(one => ({ ...one, input: TYPED.get(one.input) ?? one.input })))
}

/** `--key` is a private key or the address of one; without it the identity of the job signs, where that is asked for. */
function withSigner(flags: Flags, values: FieldValues): FieldValues {
  const key = typeof flags['key'] === 'string' ? flags['key'] : undefined
  const ways = flags['keyless'] === true ? ['keyless'] : []
  if (key === undefined) return { ...values, sign: values['sign-key'] === undefined ? ways : ['key', ...ways] }
  if (/^[a-z0-9]+:\/\//.test(key) && !key.startsWith('env://')) return { ...values, sign: [key, ...ways] }
  return { ...values, 'sign-key': key, sign: ['key', ...ways] }
}

function linesOf(signed: SignedExisting, ms: number): readonly string[] {
  return [
    `${signed.root.digest}, in ${durationText(ms)}`,
    ...signedTexts(signed).map(text => `  ${text}`),
    ...signed.verifyCommands.map(command => `  ${command}`),
  ]
}
