import { pipeline, Readable } from 'node:stream'
import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib' // as a whole, for versions of Node without zstd
import { messageOf, OciPublishError } from '../errors.ts'
import { ByteReader } from './byte-reader.ts'
import { InflationBudget } from './inflation.ts'
import { zstdFrames } from './zstd-frames.ts'
import { requireZstd } from './zstd.ts'

export interface DecompressOptions {
  /** Names the stream in errors: `layer sha256:…`. */
  readonly from?: string | undefined
  /** Shared with other streams; without it the stream has one of its own. */
  readonly inflation?: InflationBudget | undefined
  readonly signal?: AbortSignal | undefined
}

const GZIP_MAGIC = Buffer.of(0x1f, 0x8b)
const ZSTD_MAGIC = Buffer.of(0x28, 0xb5, 0x2f, 0xfd)

/** How a stream that begins with these bytes is compressed. Four of them are enough. */
export function compressionOf(firstBytes: Uint8Array): 'gzip' | 'zstd' | 'none' {
  if (GZIP_MAGIC.equals(firstBytes.subarray(0, 2))) return 'gzip'
  const isSkippable = (firstBytes[0] ?? 0) >> 4 === 5 && Buffer.of(0x2a, 0x4d, 0x18).equals(firstBytes.subarray(1, 4))
  return isSkippable || ZSTD_MAGIC.equals(firstBytes.subarray(0, 4)) ? 'zstd' : 'none'
}

/** With the default of 16 KiB half of the time is spent between the tasks of the thread pool. */
const OUTPUT_BYTES = 1 << 18

/**
 * Undoes gzip (several members too) and zstd (several frames too), told by the first bytes; anything else passes as it
 * is. Reads no faster than its reader, and lets the source go when the reader stops early.
 *
 * @throws {OciPublishError} INVALID_ARCHIVE when the stream is broken or cut; TOO_LARGE when it grows out of proportion;
 *   UNSUPPORTED where Node has no zstd. What the source throws comes through as it is.
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  { from = 'compressed stream', inflation = new InflationBudget(), signal }: DecompressOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new ByteReader(source, signal)
  try {
    switch (compressionOf(await reader.peek(4))) {
      case 'gzip':
        yield* through(reader.rest(), zlib.createGunzip({ chunkSize: OUTPUT_BYTES }), { from, inflation })
        break
      case 'zstd':
        requireZstd()
        yield* through(zstdFrames(reader, from), zlib.createZstdDecompress({ chunkSize: OUTPUT_BYTES }), {
          from,
          inflation,
        })
        break
      case 'none':
        yield* reader.rest()
    }
  } finally {
    await reader.close()
  }
}

async function* through(
  input: AsyncIterable<Uint8Array>,
  transform: Transform,
  { from, inflation }: { readonly from: string; readonly inflation: InflationBudget },
): AsyncGenerator<Uint8Array, void, undefined> {
  let failure: { readonly of: unknown } | undefined
  async function* noted(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of input) {
        inflation.read(chunk.byteLength)
        yield chunk
      }
    } catch (error) {
      failure = { of: error }
      throw error
    }
  }
  try {
    // The iteration below meets every error; the callback is what makes `pipeline` clean up after it.
    for await (const chunk of pipeline(Readable.from(noted()), transform, () => undefined)) {
      const made = chunk as Uint8Array
      inflation.made(made.byteLength, from)
      yield made
    }
  } catch (error) {
    if (failure) throw failure.of
    if (error instanceof OciPublishError) throw error
    throw new OciPublishError('INVALID_ARCHIVE', `${from}: cannot be decompressed (${messageOf(error)})`, {
      cause: error,
    })
  }
}
