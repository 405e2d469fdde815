import { OciPublishError } from '../../errors.ts'
import { encodeHeader, largestOctal, RECORD_BYTES, splitName } from './header.ts'
import type { SplitName, TarEntry } from './header.ts'
import { encodeRecords, XATTR } from './pax.ts'

const TYPEFLAGS: Readonly<Record<TarEntry['type'], string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
}

const LINK_NAME_BYTES = 100
const LARGEST = largestOctal(12)
const LARGEST_ID = largestOctal(8)

/**
 * All that stands before the body of an entry: its ustar header, and before that a PAX header where ustar cannot say it
 * all (long or non-ASCII names, 8 GiB, large ids, times before 1970, extended attributes). The same entry always gives
 * the same bytes.
 *
 * @throws {OciPublishError} INVALID_TAR_ENTRY for what no tar can say
 */
export function encodeEntry(entry: TarEntry): Buffer {
  check(entry)
  const { type, mtime, uid, gid } = entry
  const name = type === 'directory' ? `${entry.path}/` : entry.path
  const linkName = 'linkPath' in entry ? entry.linkPath : ''
  const size = type === 'file' ? entry.size : 0
  const device = type === 'character' || type === 'block'
  const records = recordsOf(entry, name, linkName, size)
  const header = encodeHeader({
    ...(splitOf(name) ?? { prefix: '', name: ascii(name) }),
    typeflag: TYPEFLAGS[type],
    mode: type === 'symlink' ? 0o777 : entry.mode, // what Linux shows, where other systems show the umask
    ...{ uid: fitting(uid, LARGEST_ID), gid: fitting(gid, LARGEST_ID) },
    ...{ size: fitting(size, LARGEST), mtime: fitting(mtime, LARGEST) },
    linkName: ascii(linkName),
    major: device ? entry.major : 0,
    minor: device ? entry.minor : 0,
  })
  return records.size === 0 ? header : Buffer.concat([paxHeader(entry.path, records), header])
}

function recordsOf(entry: TarEntry, name: string, linkName: string, size: number): Map<string, Uint8Array> {
  const { uid, gid, mtime, xattrs } = entry
  const records = new Map<string, Uint8Array>()
  if (splitOf(name) === undefined) records.set('path', Buffer.from(name))
  if (linkName.length > LINK_NAME_BYTES || !isAscii(linkName)) records.set('linkpath', Buffer.from(linkName))
  if (size > LARGEST) records.set('size', Buffer.from(`${size}`))
  if (uid > LARGEST_ID) records.set('uid', Buffer.from(`${uid}`))
  if (gid > LARGEST_ID) records.set('gid', Buffer.from(`${gid}`))
  if (fitting(mtime, LARGEST) !== mtime) records.set('mtime', Buffer.from(`${mtime}`))
  if (!xattrs) return records
  for (const [key, value] of [...xattrs].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
    if (value.byteLength > 0) records.set(`${XATTR}${key}`, value)
  }
  return records
}

function paxHeader(path: string, records: Map<string, Uint8Array>): Buffer {
  const body = encodeRecords(records)
  const header = encodeHeader({
    // Readers that know PAX never look at it; it must only be the same every time.
    ...{ prefix: '', name: ascii(`PaxHeaders.0/${path.slice(path.lastIndexOf('/') + 1)}`), typeflag: 'x' },
    ...{ mode: 0o644, uid: 0, gid: 0, size: body.byteLength, mtime: 0, linkName: '', major: 0, minor: 0 },
  })
  return Buffer.concat([header, body, Buffer.alloc(paddingOf(body.byteLength))])
}

/** The zeros that fill the last record of a body. */
export function paddingOf(bytes: number): number {
  return (RECORD_BYTES - (bytes % RECORD_BYTES)) % RECORD_BYTES
}

function splitOf(name: string): SplitName | undefined {
  return isAscii(name) ? splitName(name) : undefined
}

function isAscii(text: string): boolean {
  return /^[\x01-\x7f]*$/.test(text)
}

/** What the fields of ustar can hold of a text that is told in full by PAX. */
function ascii(text: string): string {
  return text.slice(0, 100).replace(/[^\x01-\x7f]/g, '_')
}

/** A number that does not fit is told by PAX, and its field says 0, as others write it. */
function fitting(value: number, largest: number): number {
  return value >= 0 && value <= largest ? value : 0
}

function check(entry: TarEntry): void {
  const { path, mode, uid, gid, mtime, size } = entry
  const texts = 'linkPath' in entry ? [path, entry.linkPath] : [path]
  const counts = [mode, uid, gid, size]
  if ('major' in entry) {
    counts.push(entry.major, entry.minor)
    if (Math.max(entry.major, entry.minor) > LARGEST_ID) refuse(entry, 'one of its device numbers is too large')
  }
  if (texts.includes('')) refuse(entry, 'its path or link is empty')
  if (texts.some(text => text.includes('\0'))) refuse(entry, 'there is a NUL in its path or link')
  if (path.startsWith('/') || path.endsWith('/')) refuse(entry, 'its path begins or ends with a slash')
  if (mode > 0o7777) refuse(entry, `its mode ${mode.toString(8)} holds more than permissions`)
  if (!Number.isSafeInteger(mtime) || counts.some(count => !Number.isSafeInteger(count) || count < 0)) {
    refuse(entry, 'one of its numbers is not whole or negative')
  }
}

function refuse({ path }: TarEntry, why: string): never {
  throw new OciPublishError('INVALID_TAR_ENTRY', `${JSON.stringify(path)} cannot be written to a tar archive: ${why}`)
}
