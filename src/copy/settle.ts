import { allOrErrors } from '../async/all-or-errors.ts'

/** Waits for all, as `allOrErrors` does; after an abort the reason is thrown once, not from everything under way. */
export async function settle<T>(tasks: Iterable<Promise<T>>, signal: AbortSignal | undefined): Promise<T[]> {
  try {
    return await allOrErrors(tasks)
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
