import { setTimeout } from 'node:timers/promises'

/** Waits; an abort ends the wait at once with the signal's own reason. */
export async function sleep(waitMs: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  try {
    await setTimeout(waitMs, undefined, { signal })
  } catch (error) {
    signal?.throwIfAborted() // the reason as it is, not wrapped in node's AbortError
    throw error
  }
}
