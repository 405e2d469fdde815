import { InputError, messageOf } from '../errors.ts'
import type { OnPublishEvent } from '../publish/event.ts'
import type { FieldValues } from '../publish/fields.ts'
import type { PublishReport } from '../publish/report.ts'
import { failuresOf, isWrongRequest } from '../tell/failure.ts'
import { appendSummary, failureSummary, reportSummary } from '../tell/summary.ts'
import { readEntries } from '../publish/entries.ts'
import { displayOn } from './display-on.ts'
import { failureLines } from './failure-lines.ts'
import { valuesOf, type Flags, type TypedValues } from './flags.ts'
import { readPassword, type Io } from './io.ts'
import { resultLines } from './result-lines.ts'

/** What the command line is made of; `D` is what `publish` needs, which this door only hands on. */
export interface CliParts<D> {
  readonly publish: (values: FieldValues, deps: D, options: { signal: AbortSignal }) => Promise<PublishReport>
  readonly wire: (wiring: {
    env: NodeJS.ProcessEnv
    values: FieldValues
    onEvent: OnPublishEvent
    onSecret: (secret: string) => void
    defaultLayout: string
  }) => Promise<{ readonly deps: D; close(): Promise<void> }>
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  readonly version: string
}

/** Where `--no-push` without `--outputs` writes, in the current directory. */
const DEFAULT_LAYOUT = 'oci-layout'

/** Publishes and tells; gives the exit code. */
export async function publishCommand<D>(flags: Flags, io: Io, parts: CliParts<D>): Promise<number> {
  const { publish, wire, env, signal } = parts
  const startedAt = performance.now()
  const quiet = flags['quiet'] === true
  const secrets = new Set<string>()
  const display = displayOn(io.stderr, { env, quiet, secrets })
  let values: FieldValues = {}
  try {
    const typed = await withPassword(valuesOf(flags, env), flags, io)
    values = typed.values
    if (typed.problems.length > 0) throw new InputError(typed.problems)
    const onSecret = (secret: string): void => {
      secrets.add(secret)
    }
    const wired = await wire({ env, values, onEvent: display.onEvent, onSecret, defaultLayout: DEFAULT_LAYOUT })
    try {
      const report = await publish(values, wired.deps, { signal })
      display.end()
      if (!quiet) display.say(resultLines(report, performance.now() - startedAt))
      io.stdout.write(`${flags['json'] === true ? JSON.stringify(report, null, 2) : report.refs.join('\n')}\n`)
      if (wantsSummary(values)) await appendSummary(env, reportSummary(report))
      return 0
    } finally {
      await wired.close()
    }
  } catch (error) {
    display.end()
    if (signal.aborted) {
      display.say([`${messageOf(signal.reason)}: tags move last, so none points at half an image`])
      return 130
    }
    const failures = failuresOf(error)
    display.say(failureLines(failures, { stacks: env['OCI_PUBLISH_DEBUG'] === '1' }))
    if (wantsSummary(values)) await appendSummary(env, failureSummary(failures))
    return isWrongRequest(error) ? 2 : 1
  }
}

/** In a workflow the command line leaves a summary as the action does. */
function wantsSummary(values: FieldValues): boolean {
  return readEntries(values).boolean('show-summary', [])
}

async function withPassword({ values, problems }: TypedValues, flags: Flags, { stdin }: Io): Promise<TypedValues> {
  if (flags['passwordStdin'] !== true) return { values, problems }
  const password = await readPassword(stdin)
  if (password) return { values: { ...values, password }, problems }
  const problem = password === '' ? 'there is none on standard input' : 'what is on standard input is too long for one'
  return { values, problems: [...problems, { input: 'password-stdin', problem }] }
}
