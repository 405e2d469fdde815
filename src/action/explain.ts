import type { InputProblem } from '../errors.ts'
import { failuresOf, type Failure } from '../tell/failure.ts'
import { inert } from './inert.ts'
import type { Runner } from './runner.ts'

type Teller = Pick<Runner, 'error' | 'info' | 'debug' | 'isDebug' | 'setFailed'>

/**
 * Tells what went wrong: all of it in the log, each wrong input as an annotation of its own, and once, in short, as the
 * step's failure, which also makes the exit code 1.
 */
export function explain(runner: Teller, error: unknown): readonly Failure[] {
  const failures = failuresOf(error)
  for (const failure of failures) {
    // One alone is the step's own annotation.
    if (failures.length > 1 || failure.problems.length > 1) {
      for (const one of failure.problems) runner.error(problemText(one), { title: `Input ${one.input}` })
    }
    // Of one failure the step's own annotation has the message.
    if (failures.length > 1) runner.error(failure.message)
    for (const cause of failure.causes) runner.info(inert(`  because: ${cause}`))
    if (failure.hint !== undefined) runner.info(inert(`  hint: ${failure.hint}`))
    if (failure.stack !== undefined && runner.isDebug()) runner.debug(failure.stack)
    if (failure.unexpected) runner.info('  This looks like a bug; run again with debug logging to see where.')
  }
  runner.setFailed(shortly(failures))
  return failures
}

function problemText({ input, problem, hint }: InputProblem): string {
  return `${input}: ${problem}${hint === undefined ? '' : ` (${hint})`}`
}

function shortly(failures: readonly Failure[]): string {
  const [first] = failures
  if (!first) return 'failed'
  if (failures.length > 1) return `${failures.length} failures, each told above; the first: ${first.message}`
  const [only, ...others] = first.problems
  const message = only && others.length === 0 ? problemText(only) : first.message
  return first.hint === undefined ? message : `${message}\n${first.hint}`
}
