/** What `cause` and `hint` are to every error thrown on purpose. */
export interface ErrorContext extends ErrorOptions {
  /** What to do next: the YAML line to add, the command to run. */
  readonly hint?: string | undefined
}

/** Base of everything thrown on purpose. `code` is API; the message is for people and may change. */
export class OciPublishError extends Error {
  override readonly name: string = 'OciPublishError'
  readonly code: string
  readonly hint: string | undefined

  constructor(code: string, message: string, { hint, ...options }: ErrorContext = {}) {
    super(message, options) // keeps `cause`
    this.code = code
    this.hint = hint
  }
}

/** One thing that is wrong with a request, told in terms of the input the user typed. */
export interface InputProblem {
  /** Name of the input, as in action.yml: `layers`, `base-image`. */
  readonly input: string
  readonly problem: string
  readonly hint?: string | undefined
}

/** The request is wrong: every problem of it, found before any work. The CLI exits with 2. */
export class InputError extends OciPublishError {
  override readonly name = 'InputError'
  readonly problems: readonly InputProblem[]

  constructor(problems: readonly InputProblem[], options: ErrorContext = {}) {
    const once = distinct(problems)
    super('INVALID_INPUT', once.map(sentence).join('\n'), options)
    this.problems = once
  }
}

/** Each problem once, in the order in which they were found: several readers may find the same. */
export function distinct(problems: readonly InputProblem[]): readonly InputProblem[] {
  const told = new Set<string>()
  return problems.filter(({ input, problem }) => {
    const key = `${input}: ${problem}`
    if (told.has(key)) return false
    told.add(key)
    return true
  })
}

function sentence({ input, problem, hint }: InputProblem): string {
  return `${input}: ${problem}${hint === undefined ? '' : ` (${hint})`}`
}

/**
 * For reading several inputs: what one reader throws becomes a problem of its input, and the others are read all the same.
 *
 * @param problems grows by what is wrong
 * @returns gives what was read, undefined where that failed
 */
export function attemptsInto(problems: InputProblem[]): <T>(input: string, read: () => T) => T | undefined {
  return (input, read) => {
    try {
      return read()
    } catch (error) {
      problems.push({ input, problem: messageOf(error) })
      return undefined
    }
  }
}

/** Which end of a copy speaks. */
export type Side = 'source' | 'target'

/** What a registry answered, or that it did not answer. */
export interface Refusal {
  readonly side: Side
  /** As in the reference: `127.0.0.1:5000`. */
  readonly host: string
  readonly repository: string
  /** In words, for the message: `push blob sha256:…`, `read manifest v1`. */
  readonly operation: string
  readonly method: string
  /** Without credentials and query values. */
  readonly url: string
  /** 0 when there was no answer at all. */
  readonly status: number
  /** The registry's own error codes (distribution-spec, "Error codes"). */
  readonly codes: readonly string[]
  /** The registry's own words, at most a few hundred characters. */
  readonly detail: string
  readonly requestId: string | undefined
  /** Whether the same request might succeed later. */
  readonly retriable: boolean
}

/** A registry refused, or could not be reached. `code` is NOT_FOUND, UNREACHABLE or REGISTRY_ERROR. */
export class RegistryError extends OciPublishError implements Refusal {
  override readonly name = 'RegistryError'
  readonly side: Side
  readonly host: string
  readonly repository: string
  readonly operation: string
  readonly method: string
  readonly url: string
  readonly status: number
  readonly codes: readonly string[]
  readonly detail: string
  readonly requestId: string | undefined
  readonly retriable: boolean

  constructor(refusal: Refusal, options: ErrorContext = {}) {
    super(refusalCode(refusal), refusalMessage(refusal), options)
    this.side = refusal.side
    this.host = refusal.host
    this.repository = refusal.repository
    this.operation = refusal.operation
    this.method = refusal.method
    this.url = refusal.url
    this.status = refusal.status
    this.codes = refusal.codes
    this.detail = refusal.detail
    this.requestId = refusal.requestId
    this.retriable = refusal.retriable
  }
}

function refusalCode({ status }: Refusal): string {
  if (status === 0) return 'UNREACHABLE'
  return status === 404 ? 'NOT_FOUND' : 'REGISTRY_ERROR'
}

function refusalMessage(refusal: Refusal): string {
  const { host, repository, operation, method, url, status, codes, detail, requestId } = refusal
  const said = [...codes, detail].filter(part => part !== '').join(' ')
  const answer = [status === 0 ? 'no answer' : `${status}`, said]
    .filter(part => part !== '')
    .join(status === 0 ? ': ' : ' ')
  const request = requestId === undefined ? '' : `, request ${requestId}`
  return `${host}/${repository}: could not ${operation}: ${answer} (${method} ${url}${request})`
}

/** No credentials, or wrong ones: which host, and where credentials were looked for. */
export class AuthError extends OciPublishError {
  override readonly name = 'AuthError'
  readonly host: string

  constructor(host: string, message: string, options: ErrorContext = {}) {
    super('UNAUTHORIZED', message, options)
    this.host = host
  }
}

/** Bytes are not what their descriptor says. */
export class IntegrityError extends OciPublishError {
  override readonly name = 'IntegrityError'

  /** @param from where the bytes came from, in words */
  constructor(from: string, expected: string, actual: string, options: ErrorContext = {}) {
    super('INTEGRITY', `${from}: expected ${expected}, got ${actual}`, options)
  }
}

/** Whether `error` says that a name, manifest or blob is not there, as opposed to any other failure. */
export function isNotFound(error: unknown): boolean {
  return error instanceof OciPublishError && error.code === 'NOT_FOUND'
}

/** Whether something from outside was nested deeper than what reads it can follow, as opposed to a bug. */
export function isTooDeep(error: unknown): boolean {
  // Node's own errors may come from another realm, where they are no instance of our RangeError.
  return textOf(error).startsWith('Maximum call stack size exceeded')
}

/** The message of anything caught. */
export function messageOf(error: unknown): string {
  return isTooDeep(error) ? 'it is nested too deep to be read' : textOf(error)
}

function textOf(error: unknown): string {
  // Node's own errors may come from another realm, where they are no instance of our Error.
  const { message } = (typeof error === 'object' && error !== null ? error : {}) as { readonly message?: unknown }
  return typeof message === 'string' ? message : String(error)
}
