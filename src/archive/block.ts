/** What a tar writer fills and what gzip compresses at a time: equal, so that nothing is cut or joined in between. */
export const BLOCK_BYTES: number = 1 << 20

/**
 * Cuts a stream of chunks of any length into blocks of exactly `blockBytes`; only the last may be shorter, and none is
 * empty. A whole block within one chunk is passed on without a copy, so chunks must not be written to once handed over.
 */
export async function* blocksOf(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  blockBytes: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let block: Buffer | undefined
  let used = 0
  for await (const chunk of source) {
    signal?.throwIfAborted()
    for (let from = 0; from < chunk.byteLength;) {
      if (used === 0 && chunk.byteLength - from >= blockBytes) {
        yield chunk.subarray(from, (from += blockBytes))
        continue
      }
      block ??= Buffer.allocUnsafeSlow(blockBytes)
      const taken = Math.min(blockBytes - used, chunk.byteLength - from)
      block.set(chunk.subarray(from, from + taken), used)
      used += taken
      from += taken
      if (used < blockBytes) continue
      yield block
      block = undefined
      used = 0
    }
  }
  if (block) yield block.subarray(0, used)
}
