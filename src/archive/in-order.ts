/**
 * Maps a stream with up to `ahead` results under way, and gives them out in the order of the source. Nothing is read
 * before the first result is asked for; a reader that stops early stops the source, and what is under way is let go.
 */
export async function* mapInOrder<T, R>(
  source: AsyncIterable<T>,
  work: (item: T) => Promise<R>,
  ahead: number,
): AsyncGenerator<R, void, undefined> {
  const underWay: Promise<R>[] = []
  for await (const item of source) {
    const result = work(item)
    result.catch(() => undefined) // whoever stops early must not leave an unhandled rejection behind
    underWay.push(result)
    const oldest = underWay.length >= ahead ? underWay.shift() : undefined
    if (oldest) yield await oldest
  }
  for (const result of underWay) yield await result
}
