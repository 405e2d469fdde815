import { OciPublishError } from '../../errors.ts'
import type { Header, TarEntry } from './header.ts'
import { XATTR } from './pax.ts'
import type { PaxRecords } from './pax.ts'

/** A header with what the headers before it say about the same entry. */
export interface Description {
  readonly header: Header
  readonly name: string
  readonly linkName: string
  /** Bytes of the body in the archive. */
  readonly size: number
  readonly records: PaxRecords
}

/**
 * The entry that headers describe.
 *
 * @param where names the archive and the entry, for the error
 * @returns undefined for what is in the archive without being an entry: the label of a volume
 * @throws {OciPublishError} INVALID_ARCHIVE, UNSUPPORTED
 */
export function decodeEntry(
  { header, name, linkName, size, records }: Description,
  where: string,
): TarEntry | undefined {
  const xattrs = new Map<string, Uint8Array>()
  for (const [key, value] of records) {
    if (key.startsWith('GNU.sparse.')) throw unsupported(where, 'a sparse file')
    if (key.startsWith(XATTR)) xattrs.set(key.slice(XATTR.length), value)
  }
  const attributes = {
    path: withoutTrailingSlashes(name),
    mode: header.mode & 0o7777, // some wrote the file type too
    uid: wholeOf(records, 'uid', where) ?? header.uid,
    gid: wholeOf(records, 'gid', where) ?? header.gid,
    mtime: secondsOf(records, where) ?? header.mtime,
    size: 0,
    ...(xattrs.size > 0 && { xattrs }),
  }
  const { major, minor } = header
  switch (header.typeflag) {
    case '1':
      return { ...attributes, type: 'hardlink', linkPath: linkName }
    case '2':
      return { ...attributes, type: 'symlink', linkPath: linkName }
    case '3':
      return { ...attributes, type: 'character', major, minor }
    case '4':
      return { ...attributes, type: 'block', major, minor }
    case '5':
    case 'D': // of GNU's incremental backups, with a list of names for a body
      return { ...attributes, type: 'directory' }
    case '6':
      return { ...attributes, type: 'fifo' }
    case 'M':
      throw unsupported(where, 'a part of a file, from several volumes')
    case 'S':
      throw unsupported(where, 'a sparse file')
    case 'V':
      return undefined
    default:
      // v7 marks a directory only so; POSIX: types that nobody knows are files.
      return name.endsWith('/') ? { ...attributes, type: 'directory' } : { ...attributes, type: 'file', size }
  }
}

function withoutTrailingSlashes(name: string): string {
  let end = name.length
  while (end > 1 && name[end - 1] === '/') end--
  return name.slice(0, end)
}

/** Longer numbers are none, and need not be printed. */
const MAX_NUMBER_BYTES = 64

export function textOf(records: PaxRecords, key: string, where: string, maxBytes?: number): string | undefined {
  const value = records.get(key)
  if (value && maxBytes !== undefined && value.byteLength > maxBytes)
    throw broken(where, `the PAX ${key} has ${value.byteLength} bytes`)
  if (value?.includes(0)) throw broken(where, `a NUL in the PAX ${key}`)
  return value && Buffer.from(value).toString()
}

export function wholeOf(records: PaxRecords, key: string, where: string): number | undefined {
  const value = textOf(records, key, where, MAX_NUMBER_BYTES)
  if (value === undefined) return undefined
  if (/^[0-9]+$/.test(value) && Number.isSafeInteger(Number(value))) return Number(value)
  throw broken(where, `the PAX ${key} ${JSON.stringify(value)} is not a number`)
}

/** A part of a second is cut off, towards the past. */
function secondsOf(records: PaxRecords, where: string): number | undefined {
  const value = textOf(records, 'mtime', where, MAX_NUMBER_BYTES)
  if (value === undefined) return undefined
  if (/^-?[0-9]+(\.[0-9]*)?$/.test(value)) return Math.floor(Number(value))
  throw broken(where, `the PAX mtime ${JSON.stringify(value)} is not a time`)
}

export function broken(where: string, what: string): OciPublishError {
  return new OciPublishError('INVALID_ARCHIVE', `${where}: broken tar archive: ${what}`)
}

function unsupported(where: string, what: string): OciPublishError {
  return new OciPublishError('UNSUPPORTED', `${where}: ${what} cannot be read`, {
    hint: 'write the archive again, without --sparse and --multi-volume',
  })
}
