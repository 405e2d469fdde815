/** So many at a time; results in the order of the list. */
export async function inParallel<T, R>(
  jobs: number,
  list: readonly T[],
  work: (one: T, at: number) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = []
  const waiting = list.entries()
  const worker = async (): Promise<void> => {
    for (const [at, one] of waiting) results[at] = await work(one, at)
  }
  await Promise.all(Array.from({ length: Math.max(1, jobs) }, worker))
  return results
}
