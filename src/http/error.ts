import type { ErrorContext } from '../errors.ts'
import { OciPublishError } from '../errors.ts'

/** UNREACHABLE: nobody answered, or the answer broke off. */
export type HttpErrorCode = 'UNREACHABLE' | 'REDIRECT_REFUSED' | 'ANSWER_TOO_LARGE'

export interface HttpErrorFacts {
  readonly code: HttpErrorCode
  /** Host and port as in the URL. */
  readonly host: string
  readonly method: string
  /** Without credentials and query values. */
  readonly url: string
  /** In words: `push blob sha256:…`. */
  readonly operation: string
  /** What went wrong, in words, without the rest of the message. */
  readonly reason: string
  readonly attempts: number
  /** Whether the same request might succeed later. */
  readonly retriable: boolean
}

/** A request that got no usable answer. */
export class HttpError extends OciPublishError implements HttpErrorFacts {
  override readonly name = 'HttpError'
  declare readonly code: HttpErrorCode
  readonly host: string
  readonly method: string
  readonly url: string
  readonly operation: string
  readonly reason: string
  readonly attempts: number
  readonly retriable: boolean

  constructor(facts: HttpErrorFacts, options: ErrorContext = {}) {
    super(facts.code, message(facts), options)
    this.host = facts.host
    this.method = facts.method
    this.url = facts.url
    this.operation = facts.operation
    this.reason = facts.reason
    this.attempts = facts.attempts
    this.retriable = facts.retriable
  }
}

function message({ host, method, url, operation, reason, attempts }: HttpErrorFacts): string {
  const doing = operation === method ? `${host}: no answer` : `${host}: could not ${operation}`
  return `${doing}: ${reason} (${method} ${url}${attempts > 1 ? `, ${attempts} attempts` : ''})`
}
