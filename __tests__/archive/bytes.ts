/** All of a stream. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The bytes as a stream of chunks of `size`. */
export async function* pieces(bytes: Uint8Array, size: number = bytes.byteLength): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
}

/**
 * The same bytes for the same seed. They repeat only after 64 KiB, which is further than gzip looks back, and tell their
 * place, so that blocks in a wrong order show.
 */
export function madeUp(bytes: number, seed: number, { alphabet = 256 }: { readonly alphabet?: number } = {}): Buffer {
  const made = Buffer.alloc(bytes)
  let state = seed >>> 0
  for (let at = 0; at < Math.min(bytes, 1 << 16); at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    made[at] = (state >>> 16) % alphabet
  }
  for (let at = 1 << 16; at < bytes; at += 1 << 16) made.copyWithin(at, 0, 1 << 16)
  for (let at = 4096; at + 4 <= bytes; at += 4096) made.writeUInt32LE(at, at)
  return made
}

/** Reads to the end and keeps nothing. */
export async function drain(source: AsyncIterable<unknown>): Promise<void> {
  const iterator = source[Symbol.asyncIterator]()
  while ((await iterator.next()).done !== true);
}

/** The first of a stream, which is then let go. */
export async function firstOf<T>(source: AsyncIterable<T>): Promise<T | undefined> {
  for await (const first of source) return first
  return undefined
}

/** What is thrown while a stream is read. */
export async function failureOf(source: AsyncIterable<unknown>): Promise<unknown> {
  try {
    await drain(source)
  } catch (error) {
    return error
  }
  throw new Error('it was read to its end')
}

/** A source that knows whether it was let go. */
export function watched(
  bytes: Uint8Array,
  size: number,
): AsyncGenerator<Uint8Array> & { readonly released: () => boolean } {
  let released = false
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield* pieces(bytes, size)
    } finally {
      released = true
    }
  }
  return Object.assign(source(), { released: () => released })
}
