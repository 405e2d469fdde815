import { OciPublishError } from '../../errors.ts'

/** What every kind of entry says of itself. */
interface Attributes {
  /**
   * As in the archive, but without a trailing slash: relative in what we write, perhaps `./a` or `/a` in what others
   * wrote. `.` is the root. It is text: a name that is not valid UTF-8 reads with U+FFFD in it.
   */
  readonly path: string
  /** Permissions with setuid, setgid and sticky bit, at most 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Whole seconds since 1970. */
  readonly mtime: number
  /** Bytes of the body, 0 for everything but files. */
  readonly size: number
  /** By full name (`security.capability`), values raw. PAX cannot say an empty value, so those are not written. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array> | undefined
}

export interface FileEntry extends Attributes {
  readonly type: 'file'
}

export interface DirectoryEntry extends Attributes {
  readonly type: 'directory'
}

interface LinkEntry extends Attributes {
  readonly type: 'symlink' | 'hardlink'
  /** Where a symlink points, word for word; for a hard link the path of an earlier entry. */
  readonly linkPath: string
}

interface DeviceEntry extends Attributes {
  readonly type: 'character' | 'block'
  readonly major: number
  readonly minor: number
}

interface FifoEntry extends Attributes {
  readonly type: 'fifo'
}

/** One member of a tar archive, without its body. */
export type TarEntry = FileEntry | DirectoryEntry | LinkEntry | DeviceEntry | FifoEntry

/** Headers take one record each, bodies are padded to whole ones. */
export const RECORD_BYTES = 512

/** A header as it stands on tape: nothing is interpreted but numbers and text. */
export interface Header {
  /** With the prefix before it, where there is one. */
  readonly name: string
  /** One character: `0` a file, `5` a directory, `x` a PAX header... */
  readonly typeflag: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  readonly linkName: string
  readonly major: number
  readonly minor: number
}

/** [offset, bytes] of the fields of POSIX ustar (IEEE 1003.1, pax, "ustar Interchange Format"). */
const NAME = [0, 100] as const
const MODE = [100, 8] as const
const UID = [108, 8] as const
const GID = [116, 8] as const
const SIZE = [124, 12] as const
const MTIME = [136, 12] as const
const CHECKSUM = [148, 8] as const
const TYPEFLAG = 156
const LINK_NAME = [157, 100] as const
const MAGIC = 257
const MAJOR = [329, 8] as const
const MINOR = [337, 8] as const
const PREFIX = [345, 155] as const
/** The format of star: a shorter prefix, and a mark of its own at the end. */
const STAR_PREFIX = [345, 131] as const
const STAR_TRAILER = 508

type Field = readonly [offset: number, bytes: number]

/** The largest number of an octal field of so many bytes: one is the NUL at its end. */
export function largestOctal(bytes: 8 | 12): number {
  return 8 ** (bytes - 1) - 1
}

/** What was split off a name that is longer than its field. */
export interface SplitName {
  readonly prefix: string
  readonly name: string
}

/** Splits an ASCII name into the 155 and 100 bytes of ustar, as late as possible; undefined when no slash allows it. */
export function splitName(name: string): SplitName | undefined {
  if (name.length <= NAME[1]) return { prefix: '', name }
  // The slash between both parts is stored in neither; the one that ends a directory's name does not split.
  const slash = name.lastIndexOf('/', Math.min(PREFIX[1], name.length - 2))
  if (slash <= 0 || name.length - slash - 1 > NAME[1]) return undefined
  return { prefix: name.slice(0, slash), name: name.slice(slash + 1) }
}

/**
 * Writes a ustar header. All values must fit: text is ASCII of at most the bytes of its field, numbers are whole, not
 * negative and at most `largestOctal`. User and group names are left empty, since they would be looked up on the wrong
 * machine.
 */
export function encodeHeader(header: Header & SplitName): Buffer {
  const record = Buffer.allocUnsafe(RECORD_BYTES).fill(0)
  record.write(header.name, NAME[0], NAME[1], 'latin1')
  putOctal(record, MODE, header.mode)
  putOctal(record, UID, header.uid)
  putOctal(record, GID, header.gid)
  putOctal(record, SIZE, header.size)
  putOctal(record, MTIME, header.mtime)
  record.write(header.typeflag, TYPEFLAG, 'latin1')
  record.write(header.linkName, LINK_NAME[0], LINK_NAME[1], 'latin1')
  record.write('ustar\x0000', MAGIC, 'latin1')
  putOctal(record, MAJOR, header.major)
  putOctal(record, MINOR, header.minor)
  record.write(header.prefix, PREFIX[0], PREFIX[1], 'latin1')

  putOctal(record, [CHECKSUM[0], CHECKSUM[1] - 1], checksums(record).unsigned) // six digits, NUL, and a space:
  record[CHECKSUM[0] + CHECKSUM[1] - 1] = 0x20
  return record
}

function putOctal(record: Buffer, [offset, bytes]: Field, value: number): void {
  let rest = value
  for (let at = offset + bytes - 2; at >= offset; at--) {
    const digit = rest % 8
    record[at] = 0x30 + digit
    rest = (rest - digit) / 8
  }
  record[offset + bytes - 1] = 0
}

/**
 * Reads a header of any of the formats: v7, ustar, GNU, star, PAX.
 *
 * @param where names the archive and the place in it, for the error
 * @returns undefined for a record of zeros, which stands at the end of an archive
 * @throws {OciPublishError} INVALID_ARCHIVE
 */
export function decodeHeader(bytes: Uint8Array, where: string): Header | undefined {
  const record = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const sums = checksums(record)
  if (sums.unsigned === ZEROS_CHECKSUM && record.every(byte => byte === 0)) return undefined
  const sum = octal(record, CHECKSUM)
  if (sum !== sums.unsigned && sum !== sums.signed) {
    throw new OciPublishError('INVALID_ARCHIVE', `${where}: not a tar header, its checksum is wrong`)
  }
  const prefix = prefixOf(record)
  const name = text(record, NAME)
  const typeflag = String.fromCharCode(record[TYPEFLAG] ?? 0)
  const size = number(record, SIZE, where)
  if (size < 0) throw new OciPublishError('INVALID_ARCHIVE', `${where}: the tar header tells a negative size`)
  const device = typeflag === '3' || typeflag === '4' // elsewhere v7 may have anything in the place of the numbers
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    typeflag,
    mode: number(record, MODE, where),
    uid: number(record, UID, where),
    gid: number(record, GID, where),
    size,
    mtime: number(record, MTIME, where),
    linkName: text(record, LINK_NAME),
    major: device ? number(record, MAJOR, where) : 0,
    minor: device ? number(record, MINOR, where) : 0,
  }
}

const ZEROS_CHECKSUM = CHECKSUM[1] * 0x20

/** Of the record with spaces in place of its checksum. Some old tars summed signed characters. */
function checksums(record: Buffer): { readonly unsigned: number; readonly signed: number } {
  let unsigned = ZEROS_CHECKSUM
  let high = 0
  for (let at = 0; at < RECORD_BYTES; at++) {
    if (at === CHECKSUM[0]) at += CHECKSUM[1]
    const byte = record[at] ?? 0
    unsigned += byte
    high += byte >> 7
  }
  return { unsigned, signed: unsigned - high * 256 }
}

/** Only POSIX ustar and star have one; GNU keeps times and sparse maps in the same place. */
function prefixOf(record: Buffer): string {
  if (record.toString('latin1', MAGIC, MAGIC + 6) !== 'ustar\x00') return ''
  const star = record.toString('latin1', STAR_TRAILER, STAR_TRAILER + 4) === 'tar\x00'
  return text(record, star ? STAR_PREFIX : PREFIX)
}

function text(record: Buffer, [offset, bytes]: Field): string {
  const end = record.indexOf(0, offset)
  return record.toString('utf8', offset, end < 0 || end > offset + bytes ? offset + bytes : end)
}

/** Octal in ASCII with spaces and NULs around it, or GNU's big-endian two's complement after a first bit of 1. */
function number(record: Buffer, field: Field, where: string): number {
  const [offset] = field
  const first = record[offset] ?? 0
  const value = first >= 0x80 ? base256(record, field) : octal(record, field)
  if (Number.isSafeInteger(value)) return value
  throw new OciPublishError('INVALID_ARCHIVE', `${where}: the number at byte ${offset} of the tar header is broken`)
}

function octal(record: Buffer, [offset, bytes]: Field): number {
  const field = record.toString('latin1', offset, offset + bytes)
  const [digits = ''] = field.replace(/^[ \0]+/, '').split(/[ \0]/, 1)
  if (digits === '') return 0
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : NaN
}

function base256(record: Buffer, [offset, bytes]: Field): number {
  const negative = record[offset] === 0xff
  let value = negative ? -1 : 0
  for (let at = offset; at < offset + bytes; at++) {
    const byte = at === offset ? (negative ? 0xff : (record[at] ?? 0) & 0x7f) : (record[at] ?? 0)
    value = value * 256 + byte
  }
  return value
}
