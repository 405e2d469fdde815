import type { QuietClock } from '../../src/registry/quiet.ts'

export interface HandClock extends QuietClock {
  goOn(ms: number): void
  /** How many are called later. */
  readonly waiting: () => number
}

/** A clock that stands still until it is told to go on. */
export function handClock(): HandClock {
  let nowMs = 0
  const due = new Map<object, { atMs: number; work: () => void }>()
  return {
    now: () => nowMs,
    waiting: () => due.size,
    later: (waitMs, work) => {
      const key = {}
      due.set(key, { atMs: nowMs + waitMs, work })
      return () => due.delete(key)
    },
    goOn(ms) {
      const untilMs = nowMs + ms
      for (;;) {
        const [first] = [...due].filter(([, { atMs }]) => atMs <= untilMs).sort(([, a], [, b]) => a.atMs - b.atMs)
        if (!first) break
        due.delete(first[0])
        nowMs = first[1].atMs
        first[1].work()
      }
      nowMs = untilMs
    },
  }
}
