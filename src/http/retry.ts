import type { Failure } from './failure.ts'

export interface RetryPolicy {
  readonly attempts: number
  readonly baseMs: number
  readonly capMs: number
  /** The longest Retry-After that is waited for. */
  readonly patienceMs: number
  readonly statuses: ReadonlySet<number>
}

/** Throttled, overloaded, restarting; 499 is nginx's and 52x are Cloudflare's words for the same. */
const WORTH_ANOTHER = new Set([408, 425, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524])

/** One request. */
export const REQUEST: RetryPolicy = {
  attempts: 6,
  baseMs: 500,
  capMs: 30_000,
  patienceMs: 300_000,
  statuses: WORTH_ANOTHER,
}

/** Whether the same request might get another status later. */
export function isRetriable(status: number): boolean {
  return WORTH_ANOTHER.has(status)
}

/** What came of one attempt. */
export type Outcome = { readonly status: number } | { readonly failure: Failure }

/** Ask again after a wait, or why not. */
export type Verdict = { readonly waitMs: number } | { readonly final: string }

/**
 * Full jitter, because clients in step make a storm of one 429.
 *
 * @param attempt how often the request was sent, from 1
 * @param minMs Retry-After, or 0
 * @param luck from 0 to 1
 */
export function judge(policy: RetryPolicy, attempt: number, outcome: Outcome, minMs: number, luck: number): Verdict {
  if ('failure' in outcome) {
    if (!outcome.failure.retriable) return { final: outcome.failure.words }
    if (attempt >= Math.min(policy.attempts, outcome.failure.attempts ?? Infinity)) return { final: failed(attempt) }
    if (outcome.failure.stale && attempt === 1) return { waitMs: 0 }
  } else {
    if (!policy.statuses.has(outcome.status)) return { final: `status ${outcome.status} is an answer` }
    if (attempt >= policy.attempts) return { final: failed(attempt) }
  }
  if (minMs > policy.patienceMs) {
    return { final: `it asks to wait ${seconds(minMs)}, longer than ${seconds(policy.patienceMs)}` }
  }
  const ceilingMs = Math.min(policy.capMs, policy.baseMs * 2 ** attempt)
  return { waitMs: Math.round(minMs > 0 ? minMs * (1 + luck / 10) : luck * ceilingMs) }
}

/**
 * Reads Retry-After: whole seconds, or an HTTP date (RFC 9110, 10.2.3).
 *
 * @returns milliseconds from now; 0 when there is nothing to wait for, or nothing to understand
 */
export function retryAfterMs(value: string | undefined, nowMs: number): number {
  const text = value?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  if (!text.endsWith(' GMT')) return 0
  const atMs = Date.parse(text)
  return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - nowMs)
}

function failed(attempt: number): string {
  return attempt === 1 ? 'failed' : `failed ${attempt} times`
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
