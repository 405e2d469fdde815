import type { FileHandle } from 'node:fs/promises'
import { Once } from '../async/once.ts'
import { broken, textOf, wholeOf } from '../archive/tar/decode.ts'
import { paddingOf } from '../archive/tar/encode.ts'
import { RECORD_BYTES, decodeHeader } from '../archive/tar/header.ts'
import { cleanPath } from '../archive/tar/path.ts'
import { decodeRecords } from '../archive/tar/pax.ts'
import type { Abortable } from '../async/abortable.ts'
import { OciPublishError } from '../errors.ts'
import { absent, type LayoutFiles } from './files.ts'
import { openRegular, readRange } from './regular-file.ts'
import { isAbsent } from './system-code.ts'

/**
 * The files of a layout in a tar, which is read where it is: the headers once, to know where each file begins, and then
 * only the parts that are asked for. The archive has to stay as it is for as long as it is used.
 *
 * @throws {OciPublishError} NOT_FOUND, NOT_A_FILE, INVALID_ARCHIVE, TOO_LARGE, UNSUPPORTED for a compressed one
 */
export function tarFiles(path: string, place: string): LayoutFiles {
  const once = new Once<'scan', ReadonlyMap<string, Extent>>()

  async function find(name: string, options: Abortable): Promise<Extent | undefined> {
    const extents = await once.run('scan', () => scan(path, place, options))
    return extents.get(name)
  }

  return {
    place,
    async sizeOf(name, { signal } = {}) {
      return (await find(name, { signal }))?.bytes
    },
    async *read(name, { offset = 0, signal } = {}) {
      const extent = await find(name, { signal })
      if (!extent) throw absent(place, name)
      const part = { start: extent.start + offset, bytes: extent.bytes - offset }
      yield* readRange(path, { ...part, place, follow: true, signal })
    },
  }
}

/** Where a file stands in the archive. */
interface Extent {
  readonly start: number
  readonly bytes: number
}

async function scan(path: string, place: string, { signal }: Abortable): Promise<ReadonlyMap<string, Extent>> {
  const file = await openRegular(path, { place, follow: true }).catch((error: unknown) => {
    throw isAbsent(error) ? absent(place, path, error) : error
  })
  try {
    return await extentsOf(file, (await file.stat()).size, place, { signal })
  } finally {
    await file.close()
  }
}

/** Names and records of PAX are held in memory whole. No honest ones come near this. */
const MAX_METADATA_BYTES = 1 << 20
/** Entries of an archive. A layout has one for each blob. */
const MAX_ENTRIES = 50_000
/** Characters of a name; the longest of a layout is that of a blob by sha512. */
const MAX_NAME = 256

async function extentsOf(
  file: FileHandle,
  totalBytes: number,
  place: string,
  { signal }: Abortable,
): Promise<ReadonlyMap<string, Extent>> {
  const extents = new Map<string, Extent>()
  let said: Said = {}
  let entries = 0
  for (let at = 0; at < totalBytes;) {
    signal?.throwIfAborted()
    const where = `${place}, byte ${at}`
    const record = await readPart(file, at, RECORD_BYTES, where)
    if (at === 0) refuseCompressed(record, place)
    const header = decodeHeader(record, where)
    if (!header) break
    if (++entries > MAX_ENTRIES)
      throw new OciPublishError('TOO_LARGE', `${place}: it has more than ${MAX_ENTRIES} entries`)
    const { typeflag, linkName } = header
    const isMetadata = 'xXgLK'.includes(typeflag)
    // Links and directories may tell a size that has no body.
    const bytes = '123456'.includes(typeflag) ? 0 : isMetadata ? header.size : (said.bytes ?? header.size)
    const start = at + RECORD_BYTES
    if (start + bytes > totalBytes) throw broken(where, 'ends in the middle of a file')
    at = start + bytes + paddingOf(bytes)
    if (isMetadata) {
      if (bytes > MAX_METADATA_BYTES) throw broken(where, `a header of ${bytes} bytes`)
      said = { ...said, ...metadataOf(typeflag, await readPart(file, start, bytes, where), where) }
      continue
    }
    const name = cleanPath(said.name ?? header.name)
    const linked = typeflag === '1' ? extents.get(cleanPath(said.linkName ?? linkName)) : undefined
    if (name.length > MAX_NAME) {
      said = {}
      continue
    }
    if (linked) extents.set(name, linked)
    else if ('\x00' === typeflag || '07'.includes(typeflag)) extents.set(name, { start, bytes })
    said = {}
  }
  return extents
}

/** What the headers before it say about an entry. */
interface Said {
  readonly name?: string | undefined
  readonly linkName?: string | undefined
  readonly bytes?: number | undefined
}

function metadataOf(typeflag: string, body: Uint8Array, where: string): Said {
  const untilNul = (): string => Buffer.from(body).toString().split('\0', 1)[0] ?? ''
  if (typeflag === 'L') return { name: untilNul() }
  if (typeflag === 'K') return { linkName: untilNul() }
  if (typeflag === 'g') return {} // nothing that is true of all files matters here
  const records = decodeRecords(body, where)
  const name = textOf(records, 'path', where)
  const linkName = textOf(records, 'linkpath', where)
  const bytes = wholeOf(records, 'size', where)
  return {
    ...(name !== undefined && { name }),
    ...(linkName !== undefined && { linkName }),
    ...(bytes !== undefined && { bytes }),
  }
}

async function readPart(file: FileHandle, start: number, bytes: number, where: string): Promise<Uint8Array> {
  const part = Buffer.alloc(bytes)
  for (let read = 0; read < bytes;) {
    const { bytesRead } = await file.read(part, read, bytes - read, start + read)
    if (bytesRead === 0) throw broken(where, 'ends in the middle of a header')
    read += bytesRead
  }
  return part
}

function refuseCompressed(start: Uint8Array, place: string): void {
  const magic = Buffer.from(start.subarray(0, 4)).toString('hex')
  const by = magic.startsWith('1f8b') ? 'gzip' : magic === '28b52ffd' ? 'zstd' : undefined
  if (by === undefined) return
  throw new OciPublishError('UNSUPPORTED', `${place} is compressed with ${by}`, {
    hint: `decompress it first (${by} -d); its layers are compressed already`,
  })
}
