/** Retries that a host may cost before anything has to come back. */
const RESERVE = 100
/** Every answer pays for a fifth of a retry. */
const SHARE = 0.2
/** How long a host may fail without one answer in between. */
const PATIENCE_MS = 180_000

/**
 * How much more one host may be retried, so that a dead registry ends a run in minutes, however many layers it has.
 *
 * Two measures, because hosts die in two ways: silent ones waste time, ones that refuse quickly waste requests.
 * Throttling counts as neither: whoever says when to come back is alive.
 */
export class RetryBudget {
  #left = RESERVE
  #failingSinceMs: number | undefined

  answered(): void {
    this.#left = Math.min(RESERVE, this.#left + SHARE)
    this.#failingSinceMs = undefined
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
