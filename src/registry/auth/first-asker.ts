import type { Abortable } from '../../async/abortable.ts'

/**
 * Of requests that start at once and need the same permission, lets one go ahead. The others wait for its answer, so that
 * they know what the registry asks for: 130 tags cost one request without credentials, not 130.
 */
export class FirstAsker {
  readonly #answered = new Map<string, Promise<void>>()

  /**
   * Waits while the first request of this key is under way; returns at once to the first one itself.
   *
   * @returns what the first one calls when it has its answer or has failed; nothing to do for the others
   * @throws the signal's reason as it is
   */
  async enter(key: string, { signal }: Abortable = {}): Promise<() => void> {
    signal?.throwIfAborted()
    const first = this.#answered.get(key)
    if (first) {
      await settledOrAborted(first, signal)
      return () => undefined
    }
    let leave = (): void => undefined
    this.#answered.set(
      key,
      new Promise(resolve => {
        leave = resolve
      }),
    )
    return leave
  }
}

async function settledOrAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return work
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', stop, { once: true })
    void work.then(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    })
  })
}
