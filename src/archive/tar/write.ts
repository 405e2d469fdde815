import { closeSync, readSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { messageOf, OciPublishError } from '../../errors.ts'
import { openRegularFileSync, type FileIdentity } from '../../files/regular-file.ts'
import { BLOCK_BYTES } from '../block.ts'
import { encodeEntry, paddingOf } from './encode.ts'
import { RECORD_BYTES } from './header.ts'
import type { TarEntry } from './header.ts'

/** The bytes of a file: where they are on disk, and what was found there; or a way to read them from their start. */
type TarBody = OnDisk | { open(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<Uint8Array> }

interface OnDisk {
  readonly path: string
  readonly found?: FileIdentity | undefined
}

export interface TarItem {
  readonly entry: TarEntry
  /** For files only; an empty file may do without. */
  readonly body?: TarBody | undefined
}

export interface WriteTarOptions {
  readonly signal?: AbortSignal | undefined
}

/**
 * Writes a tar archive: the entries in the order they come in, then two records of zeros.
 *
 * It comes in blocks of 1 MiB, the last one shorter, which the caller may keep. Files on disk are read straight into
 * them and synchronously: small files take a fifth of the time of asynchronous reads, whose every step goes through the
 * thread pool, and the pool is left to the compressor. Everyone else gets a turn after each block.
 *
 * @throws {OciPublishError} FILE_CHANGED when a body is not as long as its entry says, FILE_UNREADABLE,
 *   INVALID_TAR_ENTRY
 */
export async function* writeTar(
  items: AsyncIterable<TarItem> | Iterable<TarItem>,
  { signal }: WriteTarOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const block of write(items, signal)) {
    yield block
    await setImmediate()
    signal?.throwIfAborted()
  }
}

async function* write(
  items: AsyncIterable<TarItem> | Iterable<TarItem>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const out = new Blocks()
  signal?.throwIfAborted()
  for await (const { entry, body } of items) {
    signal?.throwIfAborted()
    out.append(encodeEntry(entry))
    if (entry.type === 'file') {
      if (body === undefined) expectBytes(0, entry, entry.path)
      else if (!('path' in body)) yield* copyBody(body.open({ signal }), entry, out)
      else if (entry.size < out.room) readSmallFile(body, entry, out)
      else yield* readLargeFile(body, entry, out)
      out.append(ZEROS.subarray(0, paddingOf(entry.size)))
    }
    if (out.hasFull) yield* out.takeFull()
  }
  out.append(ZEROS)
  yield* out.takeAll()
}

/** Also what stands at the end of an archive. */
const ZEROS: Uint8Array = new Uint8Array(2 * RECORD_BYTES)

/** The end of the archive so far: full blocks to hand on, and one to write to, which always has room. */
class Blocks {
  #full: Buffer[] = []
  #block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
  #used = 0

  get room(): number {
    return BLOCK_BYTES - this.#used
  }

  get hasFull(): boolean {
    return this.#full.length > 0
  }

  append(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.byteLength;) {
      const count = Math.min(this.room, bytes.byteLength - from)
      this.#block.set(count === bytes.byteLength ? bytes : bytes.subarray(from, from + count), this.#used)
      this.#advance(count)
      from += count
    }
  }

  /** Appends what one read of at most `maxBytes` gives, and says how many bytes that were. 0 is the end of the file. */
  appendRead(file: DiskFile, maxBytes: number): number {
    const count = file.read(this.#block, this.#used, Math.min(this.room, maxBytes))
    this.#advance(count)
    return count
  }

  takeFull(): Buffer[] {
    const full = this.#full
    this.#full = []
    return full
  }

  takeAll(): Buffer[] {
    return this.#used === 0 ? this.takeFull() : [...this.takeFull(), this.#block.subarray(0, this.#used)]
  }

  #advance(count: number): void {
    this.#used += count
    if (this.#used < BLOCK_BYTES) return
    this.#full.push(this.#block)
    this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
    this.#used = 0
  }
}

async function* copyBody(
  body: AsyncIterable<Uint8Array>,
  entry: TarEntry,
  out: Blocks,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.byteLength
    if (bytes > entry.size) break
    out.append(chunk)
    if (out.hasFull) yield* out.takeFull()
  }
  expectBytes(bytes, entry, entry.path)
}

/** For a file that fits in the room that is left with a byte to spare. Most files do: no generator, one read. */
function readSmallFile({ path, found }: OnDisk, entry: TarEntry, out: Blocks): void {
  using file = new DiskFile(path, found)
  let bytes = 0
  do {
    const count = out.appendRead(file, entry.size + 1 - bytes) // the byte to spare shows that the file has grown
    if (count === 0) break
    bytes += count
  } while (bytes < entry.size)
  expectBytes(bytes, entry, path)
}

function* readLargeFile({ path, found }: OnDisk, entry: TarEntry, out: Blocks): Generator<Uint8Array, void, undefined> {
  using file = new DiskFile(path, found)
  let bytes = 0
  while (bytes < entry.size) {
    const count = out.appendRead(file, entry.size - bytes)
    if (count === 0) break
    bytes += count
    if (out.hasFull) yield* out.takeFull()
  }
  if (bytes === entry.size) bytes += file.read(Buffer.alloc(1), 0, 1)
  expectBytes(bytes, entry, path)
}

class DiskFile {
  readonly #path: string
  readonly #fd: number

  constructor(path: string, found: FileIdentity | undefined) {
    this.#path = path
    this.#fd = openRegularFileSync(path, found)
  }

  /** From where the last read stopped; returns the count of bytes, 0 at the end. */
  read(into: Uint8Array, offset: number, maxBytes: number): number {
    try {
      return readSync(this.#fd, into, offset, maxBytes, null)
    } catch (error) {
      throw unreadable(this.#path, error)
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }
}

function unreadable(path: string, cause: unknown): OciPublishError {
  return new OciPublishError('FILE_UNREADABLE', `${path} cannot be read: ${messageOf(cause)}`, { cause })
}

/** @param from what gave them: a path on disk, or in the archive */
function expectBytes(bytes: number, { path, size }: TarEntry, from: string): void {
  if (bytes === size) return
  const now = bytes > size ? 'more' : `${bytes}`
  const place = from === path ? '' : ` (${path} in the archive)`
  throw new OciPublishError('FILE_CHANGED', `${from}${place} was listed with ${size} bytes, but ${now} were read`, {
    hint: 'let nothing write to the files while they are packed, then run it again',
  })
}
