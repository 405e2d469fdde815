import { overLimit } from '../../budget.ts'
import type { OciPublishError } from '../../errors.ts'
import { ByteReader } from '../byte-reader.ts'
import { broken, decodeEntry, textOf, wholeOf } from './decode.ts'
import type { Description } from './decode.ts'
import { paddingOf } from './encode.ts'
import { decodeHeader, RECORD_BYTES } from './header.ts'
import type { Header, TarEntry } from './header.ts'
import { decodeRecords } from './pax.ts'
import type { PaxRecords } from './pax.ts'

export interface TarMember {
  readonly entry: TarEntry
  /** To be read, all or in part, before the next member is asked for; or not at all. */
  readonly body: AsyncIterable<Uint8Array>
}

export interface ReadTarOptions {
  /** Names the archive in errors: `layer sha256:…`. */
  readonly from?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** What long names and PAX headers may take of memory: so much for an entry, so much for all. No honest ones come near. */
const MAX_METADATA_BYTES = 1 << 20

/** Global records go with every entry, so that many of them cost their number times that of the entries. git writes one. */
const MAX_GLOBAL_RECORDS = 64

/** PATH_MAX of Linux, where it counts bytes. */
const MAX_NAME_LENGTH = 4096

interface Metadata {
  readonly records: Map<string, Uint8Array>
  /** Bytes that more headers may have. */
  room: number
}

/**
 * Reads a tar archive of any format, entry by entry: v7, ustar, PAX with its global headers, GNU with its long names and
 * large numbers, star. Paths come as they are written; see `cleanPath`.
 *
 * It is as patient as Go and GNU tar: the records of zeros at the end may be missing, and anything may follow them. The
 * source is read to its end all the same, so that whoever verifies it sees all of it.
 *
 * @throws {OciPublishError} INVALID_ARCHIVE when it is broken or cut, TOO_LARGE for long names and attributes that no
 *   honest archive has, UNSUPPORTED for sparse files and volumes
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  { from = 'tar archive', signal }: ReadTarOptions = {},
): AsyncGenerator<TarMember, void, undefined> {
  const reader = new ByteReader(source, signal)
  const global = { records: new Map<string, Uint8Array>(), room: MAX_METADATA_BYTES }
  try {
    for (;;) {
      const described = await readDescription(reader, global, from)
      if (described === undefined) break
      const entry = decodeEntry(described, `${from}, ${JSON.stringify(described.name)}`)
      const open = bodyOf(reader, described, from)
      if (entry) yield { entry, body: open.body }
      await open.finish()
    }
    while ((await reader.readSome(Infinity)) !== undefined);
  } finally {
    await reader.close()
  }
}

async function readDescription(reader: ByteReader, global: Metadata, from: string): Promise<Description | undefined> {
  const local = { records: new Map<string, Uint8Array>(), room: MAX_METADATA_BYTES }
  let longName: string | undefined
  let longLinkName: string | undefined
  for (;;) {
    const where = `${from}, byte ${reader.position}`
    const header = await readHeader(reader, where)
    if (header === undefined) {
      if (local.room < MAX_METADATA_BYTES)
        throw broken(where, 'ends where an entry should follow its PAX header or long name')
      return undefined
    }
    switch (header.typeflag) {
      case 'x':
      case 'X':
        await readRecords(reader, header, local, where)
        break
      case 'g':
        await readRecords(reader, header, global, where)
        if (global.records.size > MAX_GLOBAL_RECORDS)
          throw overLimit(where, { what: 'global PAX records', max: MAX_GLOBAL_RECORDS })
        break
      case 'L':
        longName = untilNul(await readMetadata(reader, header, local, where))
        break
      case 'K':
        longLinkName = untilNul(await readMetadata(reader, header, local, where))
        break
      default: {
        const records = merged(global.records, local.records)
        return {
          header,
          name: fitting(longName ?? textOf(records, 'path', where) ?? header.name, 'name', where),
          linkName: fitting(longLinkName ?? textOf(records, 'linkpath', where) ?? header.linkName, 'link', where),
          // Hard links and others may tell a size that has no body.
          size: '123456'.includes(header.typeflag) ? 0 : (wholeOf(records, 'size', where) ?? header.size),
          records,
        }
      }
    }
  }
}

/** @returns undefined at the end of the archive */
async function readHeader(reader: ByteReader, where: string): Promise<Header | undefined> {
  const record = await reader.read(RECORD_BYTES)
  if (record.byteLength === 0) return undefined
  if (record.byteLength < RECORD_BYTES) throw broken(where, 'ends in the middle of a header')
  const header = decodeHeader(record, where)
  if (header) return header
  const second = await reader.read(RECORD_BYTES)
  // Readers disagree whether the archive ends here or goes on, so nobody can say what is in it.
  if (second.byteLength === RECORD_BYTES && decodeHeader(second, where)) throw broken(where, 'a lone record of zeros')
  return undefined
}

async function readRecords(reader: ByteReader, header: Header, into: Metadata, where: string): Promise<void> {
  for (const [key, value] of decodeRecords(await readMetadata(reader, header, into, where), where)) {
    into.records.set(key, value)
  }
}

async function readMetadata(reader: ByteReader, { size }: Header, into: Metadata, where: string): Promise<Uint8Array> {
  into.room -= size
  if (into.room < 0) throw overLimit(where, { what: 'bytes of names and attributes', max: MAX_METADATA_BYTES })
  const body = await reader.read(size)
  if (body.byteLength < size) throw broken(where, 'ends in the middle of a header')
  await reader.skip(paddingOf(size))
  return body
}

/** An empty value takes back what a header before it said. */
function merged(global: PaxRecords, local: PaxRecords): PaxRecords {
  if (global.size === 0 && local.size === 0) return NO_RECORDS
  const records = new Map(global)
  for (const [key, value] of local) records.set(key, value)
  for (const [key, value] of records) if (value.byteLength === 0) records.delete(key)
  return records
}

const NO_RECORDS: PaxRecords = new Map()

function fitting(name: string, kind: 'name' | 'link', where: string): string {
  if (name.length <= MAX_NAME_LENGTH) return name
  throw overLimit(where, { what: `characters in a ${kind}`, max: MAX_NAME_LENGTH, hint: 'no system could unpack it' })
}

interface OpenBody {
  readonly body: AsyncIterable<Uint8Array>
  /** Passes over what was not read. */
  finish(): Promise<void>
}

function bodyOf(reader: ByteReader, { name, size }: Description, from: string): OpenBody {
  let left = size
  let over = false
  async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
    while (left > 0) {
      if (over) throw new Error(`the body of ${name} was asked for after the next entry`)
      const part = await reader.readSome(left)
      if (part === undefined) throw cut()
      left -= part.byteLength
      yield part
    }
  }
  async function finish(): Promise<void> {
    over = true
    if ((await reader.skip(left)) < left) throw cut()
    await reader.skip(paddingOf(size)) // may be missing at the end
  }
  function cut(): OciPublishError {
    return broken(`${from}, ${JSON.stringify(name)}`, 'ends in the middle of a file')
  }
  return { body: { [Symbol.asyncIterator]: body }, finish }
}

function untilNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString()
}
