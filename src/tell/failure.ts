import { InputError, OciPublishError, isTooDeep, messageOf, type InputProblem } from '../errors.ts'
import { oneLine } from './one-line.ts'

/** One thing that went wrong, as it is told. Every text is one line. */
export interface Failure {
  readonly message: string
  readonly hint: string | undefined
  /** What caused it, nearest first, without what the message says already. */
  readonly causes: readonly string[]
  /** Of the request, when it was wrong. */
  readonly problems: readonly InputProblem[]
  /** Whether nobody foresaw it: a bug, most likely. */
  readonly unexpected: boolean
  readonly stack: string | undefined
}

/** Everything that went wrong: the parts of an AggregateError one by one, each failure once. */
export function failuresOf(error: unknown): readonly Failure[] {
  const failures = new Map<string, Failure>()
  for (const one of flat(error)) {
    const failure = failureOf(one)
    const key = [failure.message, ...failure.causes].join('\n')
    if (!failures.has(key)) failures.set(key, failure)
  }
  return [...failures.values()]
}

function flat(error: unknown, depth = 0): readonly unknown[] {
  if (!(error instanceof AggregateError) || depth > MAX_DEPTH) return [error]
  return error.errors.length === 0 ? [error] : error.errors.flatMap(part => flat(part, depth + 1))
}

const MAX_DEPTH = 8

function failureOf(error: unknown): Failure {
  const problems = error instanceof InputError ? error.problems : []
  const message =
    problems.length === 0
      ? oneLine(messageOf(error)) || 'failed without a message'
      : `the request is wrong: ${problems.length === 1 ? '1 problem' : `${problems.length} problems`}`
  return {
    message,
    hint: error instanceof OciPublishError && error.hint !== undefined ? oneLine(error.hint) : undefined,
    causes: causesOf(error, [message, ...problems.map(({ input, problem }) => `${input}: ${problem}`)].join('\n')),
    problems: problems.map(({ input, problem, hint }) => ({
      input,
      problem: oneLine(problem),
      hint: hint === undefined ? undefined : oneLine(hint),
    })),
    unexpected: !(error instanceof OciPublishError) && !isSystemError(error) && !isTooDeep(error) && !isAbort(error),
    stack: error instanceof Error ? error.stack : undefined,
  }
}

/** What the system said (ENOENT, ECONNREFUSED): not foreseen in words, but no bug of ours. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string'
}

/** The reason that `abortOn` gives, and node's own. */
function isAbort(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError'
}

function causesOf(error: unknown, message: string): readonly string[] {
  const causes: string[] = []
  let said = message
  let cause = error instanceof Error ? error.cause : undefined
  for (let depth = 0; cause !== undefined && depth < MAX_DEPTH; depth++) {
    // Node's own AggregateError of a failed connection has no message: its parts do.
    const text = oneLine([...new Set(flat(cause).map(messageOf))].join('; '))
    if (!saysNothingNew(text, said)) causes.push(text)
    said += `\n${text}`
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return causes
}

/** An error that was put into other words on its way up often has the same ones. */
function saysNothingNew(text: string, said: string): boolean {
  const words = new Set(wordsOf(said))
  return wordsOf(text).every(word => words.has(word))
}

function wordsOf(text: string): readonly string[] {
  return text.split(/[^\p{L}\p{N}._-]+/u).filter(word => word !== '')
}

/** Codes that say the request was wrong, whoever found it. */
const OF_THE_REQUEST: ReadonlySet<string> = new Set([
  ...['INVALID_INPUT', 'INVALID_REFERENCE', 'INVALID_PLATFORM'],
  ...['INVALID_CHART', 'INVALID_KEY', 'INVALID_PROVENANCE', 'LOCK_OUTDATED'],
])

/** Whether the request has to change before it can succeed, as opposed to the world. */
export function isWrongRequest(error: unknown): boolean {
  return flat(error).every(one => one instanceof OciPublishError && OF_THE_REQUEST.has(one.code))
}
