import type { ErrorContext } from '../errors.ts'
import type { Answered, Unanswered } from './attempt.ts'
import { meaningOf } from './attempt.ts'
import type { HttpErrorFacts } from './error.ts'
import { HttpError } from './error.ts'
import { Lost } from './exchange.ts'
import { classify } from './failure.ts'
import { beginning, collect, drain, isBodiless, readBody } from './read.ts'
import { redactUrl } from './redact.ts'
import { sameOrigin } from './redirect.ts'
import type { Reply } from './response.ts'
import { statusOf, toResponse } from './response.ts'
import { isRetriable } from './retry.ts'
import { mayBeThrottling } from './throttle.ts'
import type { HttpRequest, HttpResponse } from './transport.ts'

/** What the caller gets. `because`: why this attempt was the last, when its status is worth another. */
export function answer(
  request: HttpRequest,
  answered: Answered,
  attempts: number,
  because: string | undefined,
): HttpResponse {
  const { reply, whole } = answered
  return toResponse(reply, {
    attempts,
    gaveUp: isRetriable(meaningOf(answered)) ? because : undefined,
    foreign: !sameOrigin(request.url, reply.url),
    whole,
    broken: cause => (cause instanceof Lost ? brokenOff(request, reply, cause, attempts) : cause),
    tooLarge: maxBytes => tooLarge(request, reply, maxBytes),
  })
}

/** Enough of a refusal to know what it means. */
const PEEK_BYTES = 64 * 1024

/**
 * The body of a 2xx, when the request wants it whole, and of a refusal that only its body explains. An answer without a
 * body is done with here too.
 *
 * @throws {Lost} when it breaks off
 * @throws {HttpError} ANSWER_TOO_LARGE
 */
export async function readWhole(request: HttpRequest, reply: Reply): Promise<Uint8Array | undefined> {
  if (isBodiless(reply.method, reply.message)) {
    await drain(reply.message) // free without a word from the caller
    return undefined
  }
  const { wholeBodyBytes: maxBytes } = request
  const status = statusOf(reply)
  if (mayBeThrottling(status)) {
    const peeked = await beginning(readBody(reply.message, reply.limits, reply.signal), PEEK_BYTES, {
      message: reply.message,
      excerptMs: reply.limits.excerptMs,
    })
    reply.signal?.throwIfAborted()
    return peeked
  }
  if (maxBytes === undefined || Math.floor(status / 100) !== 2) return undefined
  const whole = await collect(readBody(reply.message, reply.limits, reply.signal), maxBytes)
  if (!whole) throw tooLarge(request, reply, maxBytes)
  return whole
}

/** What the caller gets when nobody answered. */
export function lost(
  request: HttpRequest,
  { failure, cause, url }: Unanswered,
  attempts: number,
  spent: string | undefined,
): HttpError {
  const { words, hint } = failure
  const retriable = failure.retriable && spent === undefined && attempts < (failure.attempts ?? Infinity)
  const reason = spent === undefined ? words : `${words}; ${spent}`
  return errorOf(request, url, { code: 'UNREACHABLE', reason, attempts, retriable }, { cause, hint })
}

function brokenOff(request: HttpRequest, { url }: Reply, { cause }: Lost, attempts: number): HttpError {
  const { words, retriable } = classify(cause)
  const reason = `the answer broke off: ${words}`
  return errorOf(request, url, { code: 'UNREACHABLE', reason, attempts, retriable }, { cause })
}

function tooLarge(request: HttpRequest, { url }: Reply, maxBytes: number): HttpError {
  const reason = `the answer is larger than ${maxBytes} bytes`
  return errorOf(request, url, { code: 'ANSWER_TOO_LARGE', reason, attempts: 1, retriable: false })
}

/** An error about this request. */
export function errorOf(
  { method, operation = method }: HttpRequest,
  url: URL,
  facts: Pick<HttpErrorFacts, 'code' | 'reason' | 'attempts' | 'retriable'>,
  context: ErrorContext = {},
): HttpError {
  return new HttpError({ host: url.host, method, url: redactUrl(url), operation, ...facts }, context)
}
