import { promisify } from 'node:util'
// The whole module, since older versions of Node lack the names of zstd and would not even load.
import * as zlib from 'node:zlib'
import { OciPublishError } from '../errors.ts'
import { blocksOf } from './block.ts'
import { mapInOrder } from './in-order.ts'
import { poolThreads } from './threads.ts'

export interface ZstdOptions {
  /** 1 (fast) to 19 (small). */
  readonly level?: number | undefined
  /** How many blocks are compressed at a time; the bytes do not depend on it. */
  readonly threads?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Larger than the window of the middle levels, so that frames which do not know each other cost only a percent. */
const FRAME_BYTES = 1 << 22

/** Room for a frame that does not compress, so that it is one task for the thread pool. */
const OUTPUT_BYTES = FRAME_BYTES + (FRAME_BYTES >> 8) + 1024

/**
 * Compresses with zstd, in parallel on Node's thread pool, to one frame for each 4 MiB.
 *
 * Frames in a row are one zstd stream (RFC 8878, 3). One long frame would be a percent smaller, but it keeps one core busy
 * while the others wait, and its bytes depend on how Node happens to cut the source.
 *
 * @throws {OciPublishError} UNSUPPORTED where Node has no zstd, before 22.15
 */
export async function* zstd(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { level = 3, threads = poolThreads(), signal }: ZstdOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  requireZstd()
  const compress = promisify<Uint8Array, zlib.ZstdOptions, Buffer>(zlib.zstdCompress)
  const options = { chunkSize: OUTPUT_BYTES, params: { [zlib.constants.ZSTD_c_compressionLevel]: level } }
  const frames = mapInOrder(blocksOf(source, FRAME_BYTES, signal), block => compress(block, options), 2 * threads)
  let empty = true
  for await (const frame of frames) {
    signal?.throwIfAborted()
    empty = false
    yield frame
  }
  if (empty) yield await compress(new Uint8Array(0), options) // nothing is not a zstd stream
}

/** @throws {OciPublishError} UNSUPPORTED */
export function requireZstd(): void {
  if ('zstdCompress' in zlib) return
  throw new OciPublishError('UNSUPPORTED', `Node ${process.versions.node} has no zstd`, {
    hint: 'run on Node 22.15 or later, or use gzip',
  })
}
