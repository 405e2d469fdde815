import type { RetryBudget } from './budget.ts'
import type { HttpEvent } from './event.ts'
import type { Failure } from './failure.ts'
import type { Gate, Pass } from './gate.ts'
import type { Reply } from './response.ts'
import { headerOf, requestIdOf, statusOf } from './response.ts'
import type { Outcome, Verdict } from './retry.ts'
import { REQUEST, isRetriable } from './retry.ts'
import { isThrottling, mayBeThrottling } from './throttle.ts'
import type { HttpRequest } from './transport.ts'

/** What is shared by all requests to one origin. */
export interface Host {
  readonly gate: Gate
  readonly budget: RetryBudget
}

/** One attempt, redirects included, and the host that had the last word. */
export type Attempt = Answered | Unanswered

export interface Answered {
  readonly reply: Reply
  /** The body, when the request wants it whole, and that of a refusal which is only understood with it. */
  readonly whole: Uint8Array | undefined
  readonly host: Host
  readonly pass: Pass
}

export interface Unanswered {
  readonly failure: Failure
  readonly cause: unknown
  readonly url: URL
  readonly host: Host
}

/**
 * Tells gate and budget of the host how it went.
 *
 * @param minMs Retry-After, or 0
 * @returns why there must be no other attempt, in words; undefined when there may
 */
export function settle(attempt: Attempt, verdict: Verdict, minMs: number, nowMs: number): string | undefined {
  const { host } = attempt
  if ('failure' in attempt) return host.budget.failed(nowMs)
  const status = meaningOf(attempt)
  if (!isRetriable(status)) {
    attempt.pass.served()
    host.budget.answered()
    return undefined
  }
  if (status === 429 || status === 503) attempt.pass.throttled('waitMs' in verdict ? verdict.waitMs : 0)
  // Who says when to come back is alive: it costs time, not retries.
  if (status !== 429 && minMs <= 0) return host.budget.failed(nowMs)
  return 'waitMs' in verdict ? host.budget.throttled(nowMs, verdict.waitMs) : undefined
}

/** For the policy. */
export function outcomeOf(attempt: Attempt): Outcome {
  return 'reply' in attempt ? { status: meaningOf(attempt) } : { failure: attempt.failure }
}

/** The status, or 429 where a registry says the same under another one. */
export function meaningOf({ reply, whole }: Answered): number {
  const status = statusOf(reply)
  if (!whole || !mayBeThrottling(status)) return status
  return isThrottling(status, new TextDecoder().decode(whole)) ? 429 : status
}

/** What listeners are told about an attempt that failed and is followed by another. */
export function retryEvent(request: HttpRequest, attempt: Attempt, attempts: number, waitMs: number): HttpEvent {
  const told = { type: 'retry', operation: request.operation ?? request.method, attempt: attempts, waitMs } as const
  if ('failure' in attempt) {
    const { failure, url } = attempt
    const most = failure.attempts ?? REQUEST.attempts
    return { ...told, host: url.host, reason: failure.words, attempts: most, requestId: undefined }
  }
  const { reply } = attempt
  return {
    ...told,
    host: reply.url.host,
    reason: `${statusOf(reply)}`,
    attempts: REQUEST.attempts,
    requestId: requestIdOf(name => headerOf(reply, name)),
  }
}
