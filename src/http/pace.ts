/** The least rate of a body. */
export interface Pace {
  /** Over so long it is measured. */
  readonly paceMs: number
  /** So many bytes have to come in that time. */
  readonly paceBytes: number
}

/** What came since the last measurement, and how long was waited for it. */
export interface Measured {
  readonly waitedMs: number
  readonly bytes: number
}

export const UNMEASURED: Measured = { waitedMs: 0, bytes: 0 }

/**
 * Adds a chunk. Only time that was spent waiting counts: a reader that works on what it has does not make a host slow.
 *
 * @param waitedMs for this chunk
 * @returns the measurement that goes on, or `too-slow`
 */
export function measure(before: Measured, waitedMs: number, bytes: number, pace: Pace): Measured | 'too-slow' {
  const now = { waitedMs: before.waitedMs + waitedMs, bytes: before.bytes + bytes }
  if (now.waitedMs < pace.paceMs) return now
  return now.bytes < pace.paceBytes ? 'too-slow' : UNMEASURED
}
