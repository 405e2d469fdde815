/** Everything that comes, in order. */
export async function allOf<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const one of items) all.push(one)
  return all
}
