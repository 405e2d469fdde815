/** Time, for those who wait and those who measure. */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly sleep: (waitMs: number, signal?: AbortSignal) => Promise<void>
}

/** The time of day; nobody sleeps by it, for programs under test have a clock of their own. */
export const realClock: Pick<Clock, 'now'> = { now: Date.now }

/** A clock that is put forward by every wait, so that nothing waits. */
export function leapingClock(): Clock {
  let ahead = 0
  return {
    now: () => Date.now() + ahead,
    sleep: async (waitMs, signal) => {
      signal?.throwIfAborted()
      ahead += waitMs
      // Others must have their turn, as they would have had.
      await new Promise<void>(resolve => setImmediate(resolve))
      signal?.throwIfAborted()
    },
  }
}
