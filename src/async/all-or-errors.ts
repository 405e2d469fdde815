import { messageOf } from '../errors.ts'

/**
 * Waits for all, then throws the first failure: one broken layer does not cancel its siblings, whose bytes would be lost.
 *
 * @throws {AggregateError} with every failure in order, when there are several
 */
export async function allOrErrors<T>(tasks: Iterable<Promise<T>>): Promise<T[]> {
  const settled = await Promise.allSettled(tasks)
  const errors = settled.filter(one => one.status === 'rejected').map(({ reason }) => reason as unknown)
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) throw new AggregateError(errors, errors.map(messageOf).join('\n'))
  return settled.map(one => (one as PromiseFulfilledResult<T>).value)
}
