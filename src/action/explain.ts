import type { InputProblem } from '../errors.ts'
import { failuresOf, type Failure } from '../tell/failure.ts'
import type { Edge } from './edge.ts'

/**
 * Tells what went wrong: all of it in the log, each wrong input as an annotation of its own, and once, in short, as the
 * step's failure, which also makes the exit code 1.
 */
export function explain(edge: Edge, error: unknown): readonly Failure[] {
  const failures = failuresOf(error)
  for (const failure of failures) {
    // One alone is the step's own annotation.
    if (failures.length > 1 || failure.problems.length > 1) {
      for (const one of failure.problems) edge.error(problemText(one), `Input ${one.input}`)
    }
    // Of one failure the step's own annotation has the message.
    if (failures.length > 1) edge.error(failure.message)
    for (const cause of failure.causes) edge.info(`  because: ${cause}`)
    if (failure.hint !== undefined) edge.info(`  hint: ${failure.hint}`)
    edge.debug(() => failure.stack?.split('\n') ?? [])
    if (failure.unexpected) edge.info('  This looks like a bug; run again with debug logging to see where.')
  }
  edge.fail(shortly(failures))
  return failures
}

function problemText({ input, problem, hint }: InputProblem): string {
  return `${input}: ${problem}${hint === undefined ? '' : ` (${hint})`}`
}

function shortly(failures: readonly Failure[]): readonly string[] {
  const [first] = failures
  if (!first) return ['failed']
  if (failures.length > 1) return [`${failures.length} failures, each told above; the first: ${first.message}`]
  const [only, ...others] = first.problems
  const message = only && others.length === 0 ? problemText(only) : first.message
  return [message, ...(first.hint === undefined ? [] : [first.hint])]
}
