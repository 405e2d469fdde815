import { OciPublishError } from '../errors.ts'
import type { ByteReader } from './byte-reader.ts'

const MAGIC = 0xfd2fb528
/** Any of 16: frames that hold no content, such as the table of contents of zstd:chunked. */
const SKIPPABLE_MAGIC = 0x184d2a50

/** Small pieces are joined up to here, since every piece costs the decompressor a task of the thread pool. */
const PIECE_BYTES = 1 << 18

/**
 * Passes on the frames of a zstd stream in pieces that never reach from one frame into the next: Node's decompressor drops
 * what follows the end of a frame in the same chunk. Skippable frames are left out.
 *
 * @param from names the stream in errors
 * @throws {OciPublishError} INVALID_ARCHIVE when it ends within a frame, or there is something else than a frame
 */
export async function* zstdFrames(reader: ByteReader, from: string): AsyncGenerator<Uint8Array, void, undefined> {
  for (;;) {
    const start = reader.position
    const magic = await reader.read(4)
    if (magic.byteLength === 0) return
    const kind = magic.byteLength < 4 ? 0 : view(magic).getUint32(0, true)
    if ((kind & ~0xf) === SKIPPABLE_MAGIC) {
      const bytes = view(await exactly(4)).getUint32(0, true)
      if ((await reader.skip(bytes)) < bytes) throw cut()
    } else if (kind === MAGIC) {
      yield* joined(frame(magic))
    } else {
      throw new OciPublishError('INVALID_ARCHIVE', `${from}: no zstd frame at byte ${start}`)
    }
  }

  /** RFC 8878, 3.1.1: a header, blocks of which the last is marked, perhaps a checksum. */
  async function* frame(magic: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
    const first = await exactly(1)
    const descriptor = first[0] ?? 0
    const singleSegment = (descriptor >> 5) & 1
    const idBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
    const sizeBytes = [singleSegment, 2, 4, 8][descriptor >> 6] ?? 0
    yield magic
    yield first
    yield await exactly(1 - singleSegment + idBytes + sizeBytes)
    for (let last = false; !last;) {
      const header = await exactly(3)
      const word = view(header).getUint16(0, true) | ((header[2] ?? 0) << 16)
      const isRepeatedByte = ((word >> 1) & 3) === 1
      yield header
      yield await exactly(isRepeatedByte ? 1 : word >> 3)
      last = (word & 1) === 1
    }
    if (((descriptor >> 2) & 1) === 1) yield await exactly(4)
  }

  async function exactly(bytes: number): Promise<Uint8Array> {
    const part = await reader.read(bytes)
    if (part.byteLength < bytes) throw cut()
    return part
  }

  function cut(): OciPublishError {
    return new OciPublishError('INVALID_ARCHIVE', `${from}: ends in the middle of a zstd frame`)
  }
}

async function* joined(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array[] = []
  let bytes = 0
  for await (const part of parts) {
    held.push(part)
    bytes += part.byteLength
    if (bytes < PIECE_BYTES) continue
    yield Buffer.concat(held)
    held = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(held)
}

function view({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}
