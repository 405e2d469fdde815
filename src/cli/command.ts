import { InputError, messageOf, type InputProblem } from '../errors.ts'
import type { OnPublishEvent } from '../publish/event.ts'
import { FIELDS, isSecret, type Field, type FieldName, type FieldValues } from '../publish/fields.ts'
import { failuresOf, isWrongRequest, type Failure } from '../tell/failure.ts'
import type { Display } from './display.ts'
import { displayOn } from './display-on.ts'
import { failureLines } from './failure-lines.ts'
import { valuesOf, type Flags, type TypedValues } from './flags.ts'
import { readPassword, type Io } from './io.ts'

/** What every command needs; `D` is what the use cases need, which this door only hands on. */
export interface CommandParts<D> {
  readonly wire: (wiring: {
    env: NodeJS.ProcessEnv
    values: FieldValues
    problems: readonly InputProblem[]
    onEvent: OnPublishEvent
    onSecret: (secret: string) => void
    defaultLayout: string
  }) => Promise<{ readonly deps: D; readonly problems: readonly InputProblem[]; close(): Promise<void> }>
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

interface Running<D> {
  readonly values: FieldValues
  readonly deps: D
  readonly display: Display
  readonly quiet: boolean
}

export interface Work<D> {
  /** Does the work, and writes the result to standard output. */
  readonly run: (running: Running<D>) => Promise<void>
  /** What to know when it was stopped. */
  readonly stopped?: string
  /** Told of failures besides the user. */
  readonly onFailure?: (failures: readonly Failure[], values: FieldValues) => Promise<void>
  /** Values that follow from others; what is wrong is added to the problems, or thrown as an InputError. */
  readonly complete?: (values: FieldValues, problems: InputProblem[]) => FieldValues
  /** `run` looks at the request and tells what is wrong with it; what is known to be wrong already it knows by its deps. */
  readonly tellsProblems?: boolean
}

/** Where `--no-push` without `--outputs` writes, in the current directory. */
const DEFAULT_LAYOUT = 'oci-layout'

/**
 * Runs one command on what `wire` builds, and tells what goes on and what failed on standard error.
 *
 * @returns the exit code: 0 done, 1 it failed, 2 the request is wrong, 130 stopped
 */
export async function runCommand<D>(
  flags: Flags,
  io: Io,
  { wire, env, signal }: CommandParts<D>,
  { run, stopped, onFailure, complete = (values): FieldValues => values, tellsProblems = false }: Work<D>,
): Promise<number> {
  const quiet = flags['quiet'] === true
  const display = displayOn(io.stderr, { env, quiet })
  let values: FieldValues = {}
  try {
    const typed = await withPassword(valuesOf(flags, env), flags, io)
    hideSecrets(typed.values, io.secrets)
    const completed = completedBy(complete, typed)
    hideSecrets(completed.values, io.secrets)
    values = completed.values
    const onSecret = (secret: string): void => {
      io.secrets.add(secret)
    }
    const wiring = { env, ...completed, onEvent: display.onEvent, onSecret, defaultLayout: DEFAULT_LAYOUT }
    const wired = await wire(wiring)
    try {
      if (!tellsProblems && wired.problems.length > 0) throw new InputError(wired.problems)
      await run({ values, deps: wired.deps, display, quiet })
      display.end()
      return 0
    } finally {
      await wired.close()
    }
  } catch (error) {
    display.end()
    if (signal.aborted) {
      const reason = messageOf(signal.reason)
      display.say([stopped === undefined ? reason : `${reason}: ${stopped}`])
      return 130
    }
    const failures = failuresOf(error)
    display.say(failureLines(failures, { stacks: env['OCI_PUBLISH_DEBUG'] === '1' }))
    await onFailure?.(failures, values)
    return isWrongRequest(error) ? 2 : 1
  }
}

/** What was given as a secret, before anything can print it. */
function hideSecrets(values: FieldValues, secrets: Io['secrets']): void {
  for (const field of FIELDS as readonly (Field & { readonly name: FieldName })[]) {
    const value = [values[field.name] ?? []].flat().join('\n')
    if (value !== '' && isSecret(field, value) && field.name !== 'registry-auth') secrets.add(value)
  }
}

/** With the problems of both. */
function completedBy(
  complete: NonNullable<Work<never>['complete']>,
  { values, problems: typed }: TypedValues,
): TypedValues {
  const problems = [...typed]
  try {
    return { values: complete(values, problems), problems }
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    return { values, problems: [...problems, ...error.problems] }
  }
}

async function withPassword({ values, problems }: TypedValues, flags: Flags, { stdin }: Io): Promise<TypedValues> {
  if (flags['passwordStdin'] !== true) return { values, problems }
  const password = await readPassword(stdin)
  if (password) return { values: { ...values, password }, problems }
  const problem = password === '' ? 'there is none on standard input' : 'what is on standard input is too long for one'
  return { values, problems: [...problems, { input: 'password-stdin', problem }] }
}
