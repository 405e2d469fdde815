/** Retries that a host may cost before anything has to come back. */
const RESERVE = 100
/** Every answer pays for a fifth of a retry. */
const SHARE = 0.2
/** How long a host may fail without one answer in between. */
const PATIENCE_MS = 180_000
/** How long a host may make all of us wait by 429 and Retry-After, and how much of that an answer gives back. */
const THROTTLED_MS = 1_800_000
const ANSWERED_MS = 1_000

/**
 * How much more one host may be retried, so that a dead registry ends a run in minutes, however many layers it has.
 *
 * Two measures, because hosts die in two ways: silent ones waste time, ones that refuse quickly waste requests.
 * Throttling counts as neither: whoever says when to come back is alive. It has a measure of its own, or a host could keep
 * a run waiting for as long as it likes.
 */
export class RetryBudget {
  #left = RESERVE
  #failingSinceMs: number | undefined
  #throttledMs = THROTTLED_MS
  #throttledUntilMs = -Infinity

  answered(): void {
    this.#left = Math.min(RESERVE, this.#left + SHARE)
    this.#failingSinceMs = undefined
    this.#throttledMs = Math.min(THROTTLED_MS, this.#throttledMs + ANSWERED_MS)
  }

  /**
   * The host wants nobody to come back before so long. Requests that wait at the same time wait once.
   *
   * @returns why there must be no other attempt, in words; undefined when there may
   */
  throttled(nowMs: number, waitMs: number): string | undefined {
    const untilMs = nowMs + waitMs
    const moreMs = Math.max(0, untilMs - Math.max(nowMs, this.#throttledUntilMs))
    if (moreMs > this.#throttledMs)
      return `it has asked to wait for ${Math.round(THROTTLED_MS / 60_000)} minutes in this run`
    this.#throttledMs -= moreMs
    this.#throttledUntilMs = Math.max(untilMs, this.#throttledUntilMs)
    return undefined
  }

  /** @returns why there must be no other attempt, in words; undefined when there may */
  failed(nowMs: number): string | undefined {
    this.#failingSinceMs ??= nowMs
    const failingMs = nowMs - this.#failingSinceMs
    if (failingMs > PATIENCE_MS) return `nothing has worked there for ${Math.round(failingMs / 60_000)} minutes`
    if (this.#left < 1) return 'too many requests to it have failed in this run'
    this.#left--
    return undefined
  }
}
