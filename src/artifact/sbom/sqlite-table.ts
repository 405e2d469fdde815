import { messageOf, OciPublishError } from '../../errors.ts'

export type SqliteValue = string | number | bigint | Uint8Array | null

const MAGIC = Buffer.from('SQLite format 3\0', 'latin1')
const FILE_HEADER_BYTES = 100
const INTERIOR = 5
const LEAF = 13

/** Bytes that can be read in any order: memory, or a file that is too large for it. */
export interface PagedBytes {
  readonly byteLength: number
  /** Fewer bytes only at the end. They may be part of a larger buffer, and must not be changed. */
  read(at: number, bytes: number): Buffer
}

export function pagedMemory(bytes: Uint8Array): PagedBytes {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { byteLength: buffer.byteLength, read: (at, size) => buffer.subarray(at, at + size) }
}

/**
 * Reads the rows of a table of an SQLite database one by one, in the order of their row IDs. Node has SQLite only since
 * 22.13, and opens only files; this reads bytes. What is in a write-ahead log beside the file is not seen.
 *
 * Pages and cells of a hostile database may refer to each other in any way: a page is used once, and all rows together
 * have no more bytes than the file.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT
 * @see SQLite's documentation, "Database File Format"
 */
export function* readTable(
  file: PagedBytes,
  table: string,
  where: string,
): Generator<readonly SqliteValue[], void, undefined> {
  try {
    if (!MAGIC.equals(file.read(0, MAGIC.byteLength))) throw new RangeError('it does not begin as one')
    const pages = new Pages(file)
    let root: number | undefined
    for (const [type, name, , page] of pages.rows(1)) if (type === 'table' && name === table) root ??= Number(page)
    if (root === undefined) throw new RangeError(`there is no table ${table}`)
    yield* pages.rows(root)
  } catch (error) {
    if (error instanceof OciPublishError) throw error
    throw broken(where, messageOf(error), error) // every number in the file may point out of it
  }
}

function broken(where: string, why: string, cause?: unknown): OciPublishError {
  return new OciPublishError('INVALID_DOCUMENT', `${where}: cannot be read as an SQLite database (${why})`, { cause })
}

/** A hundred times what any system has installed. */
const MAX_ROWS = 1_000_000
/** RPM's largest packages, with the names of all their files, have a few. */
const MAX_ROW_BYTES = 32 << 20
/** Tables of RPM have two columns, the schema has five. */
const MAX_COLUMNS = 16
/** Trees of pages are five deep when they are large. */
const MAX_DEPTH = 32

class Pages {
  readonly #file: PagedBytes
  readonly #pageBytes: number
  readonly #usableBytes: number
  /** Pages that were used, of trees and of chains. */
  readonly #seen = new Set<number>()
  /** Bytes that rows may have together. */
  #room: number
  #rows = 0

  constructor(file: PagedBytes) {
    this.#file = file
    this.#room = file.byteLength
    const head = file.read(0, FILE_HEADER_BYTES)
    const size = head.readUInt16BE(16)
    this.#pageBytes = size === 1 ? 65_536 : size
    this.#usableBytes = this.#pageBytes - head.readUInt8(20)
    if (this.#pageBytes < 512 || this.#usableBytes < 480) throw new RangeError(`pages of ${this.#pageBytes} bytes`)
  }

  *rows(number: number, depth = 0): Generator<readonly SqliteValue[], void, undefined> {
    if (depth > MAX_DEPTH) throw new RangeError(`pages are nested more than ${MAX_DEPTH} deep`)
    const page = this.#page(number)
    const at = number === 1 ? FILE_HEADER_BYTES : 0
    const kind = page.readUInt8(at)
    const cells = page.readUInt16BE(at + 3)
    if (kind !== INTERIOR && kind !== LEAF) throw new RangeError(`page ${number} is of no table`)
    for (let i = 0; i < cells; i++) {
      const cell = page.readUInt16BE(at + (kind === LEAF ? 8 : 12) + i * 2)
      if (kind === LEAF) yield recordOf(this.#payload(page, cell))
      else yield* this.rows(page.readUInt32BE(cell), depth + 1)
    }
    if (kind === INTERIOR) yield* this.rows(page.readUInt32BE(at + 8), depth + 1)
  }

  #page(number: number): Buffer {
    if (this.#seen.has(number)) throw new RangeError(`page ${number} is met twice`)
    this.#seen.add(number)
    const start = (number - 1) * this.#pageBytes
    if (number < 1 || start + this.#pageBytes > this.#file.byteLength)
      throw new RangeError(`page ${number} is not there`)
    return this.#file.read(start, this.#pageBytes)
  }

  /** What a cell holds: on the page itself, and the rest in a chain of pages of its own. */
  #payload(page: Buffer, cell: number): Buffer {
    const size = varint(page, cell)
    const start = varint(page, size.end).end // the row ID is between them
    const total = Number(size.value)
    this.#room -= total
    if (this.#room < 0) throw new RangeError('its rows are larger than the file')
    if (++this.#rows > MAX_ROWS) throw new RangeError(`more than ${MAX_ROWS} rows`)
    if (total > MAX_ROW_BYTES) throw new RangeError(`a row of ${total} bytes`)
    const largest = this.#usableBytes - 35
    if (total <= largest) return whole(page.subarray(start, start + total), total)
    const least = Math.floor(((this.#usableBytes - 12) * 32) / 255) - 23
    const wanted = least + ((total - least) % (this.#usableBytes - 4))
    const local = wanted <= largest ? wanted : least
    const parts = [page.subarray(start, start + local)]
    let next = page.readUInt32BE(start + local)
    for (let left = total - local; left > 0;) {
      const overflow = this.#page(next)
      const part = overflow.subarray(4, 4 + Math.min(left, this.#usableBytes - 4))
      parts.push(part)
      left -= part.byteLength
      next = overflow.readUInt32BE(0)
    }
    return whole(Buffer.concat(parts), total)
  }
}

function whole(bytes: Buffer, size: number): Buffer {
  if (bytes.byteLength < size) throw new RangeError('a row ends too early')
  return bytes
}

function recordOf(payload: Buffer): SqliteValue[] {
  const head = varint(payload, 0)
  const values: SqliteValue[] = []
  let body = Number(head.value)
  for (let at = head.end; at < Number(head.value) && values.length < MAX_COLUMNS;) {
    const serial = varint(payload, at)
    at = serial.end
    const [value, size] = valueOf(payload, body, Number(serial.value))
    values.push(value)
    body += size
  }
  return values
}

/** Bytes of the integers of serial types 1 to 6. */
const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8]

function valueOf(payload: Buffer, at: number, type: number): readonly [value: SqliteValue, size: number] {
  if (type === 0) return [null, 0]
  if (type === 8 || type === 9) return [type - 8, 0]
  if (type === 7) return [payload.readDoubleBE(at), 8]
  if (type === 6) return [payload.readBigInt64BE(at), 8]
  const integerBytes = INTEGER_BYTES[type]
  if (integerBytes !== undefined) return [payload.readIntBE(at, integerBytes), integerBytes]
  if (type < 12) throw new RangeError(`a value of type ${type}`)
  const size = Math.floor((type - 12) / 2)
  const bytes = whole(payload.subarray(at, at + size), size)
  return [type % 2 === 0 ? bytes : bytes.toString('utf8'), size]
}

/** Seven bits a byte, big end first; a ninth byte has eight. */
function varint(bytes: Buffer, at: number): { readonly value: bigint; readonly end: number } {
  let value = 0n
  for (let i = 0; i < 8; i++) {
    const byte = bytes.readUInt8(at + i)
    value = (value << 7n) | BigInt(byte & 0x7f)
    if (byte < 0x80) return { value, end: at + i + 1 }
  }
  return { value: (value << 8n) | BigInt(bytes.readUInt8(at + 8)), end: at + 9 }
}
