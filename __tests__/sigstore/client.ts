import { createTransport } from '../../src/http/client.ts'
import type { Transport } from '../../src/http/transport.ts'

export interface Client extends AsyncDisposable {
  readonly transport: Transport
  /** What was waited between attempts, in milliseconds. */
  readonly waits: readonly number[]
}

/** The product's transport on a clock that jumps ahead instead of waiting. @param patienceMs for an answer */
export function client(patienceMs = 20_000): Client {
  let nowMs = 0
  const waits: number[] = []
  const transport = createTransport({
    version: '0',
    random: () => 0.5,
    timeouts: { uploadedMs: patienceMs, answerMs: patienceMs },
    clock: {
      now: () => nowMs,
      sleep: (waitMs, signal) => {
        signal?.throwIfAborted()
        nowMs += waitMs
        waits.push(waitMs)
        return Promise.resolve()
      },
    },
  })
  return { transport, waits, [Symbol.asyncDispose]: () => transport.close() }
}

/** What a promise is rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}
