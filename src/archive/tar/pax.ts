import { overLimit } from '../../budget.ts'
import { OciPublishError } from '../../errors.ts'

/** Keys of a PAX header and their values, which are bytes: those of an xattr need not be text. */
export type PaxRecords = ReadonlyMap<string, Uint8Array>

/** Records of one header. Linux gives a file some hundred attributes at most. */
const MAX_RECORDS = 4096

/** Followed by the name of an extended attribute. */
export const XATTR = 'SCHILY.xattr.'

/**
 * Encodes the body of a PAX header, `<length> <key>=<value>\n` for each record (IEEE 1003.1, pax, "pax Extended Header").
 *
 * @throws {OciPublishError} INVALID_TAR_ENTRY for a key that has a `=` in it
 */
export function encodeRecords(records: PaxRecords): Buffer {
  const parts: Uint8Array[] = []
  for (const [key, value] of records) {
    if (key.includes('='))
      throw new OciPublishError('INVALID_TAR_ENTRY', `${key}: a "=" in a PAX key cannot be written`)
    const rest = Buffer.from(` ${key}=`)
    parts.push(Buffer.from(`${lengthWithItself(rest.byteLength + value.byteLength + 1)}`), rest, value, NEWLINE)
  }
  return Buffer.concat(parts)
}

const NEWLINE = Buffer.from('\n')

/** The length of a record counts its own digits. */
function lengthWithItself(bytes: number): number {
  let length = bytes
  while (length !== bytes + `${length}`.length) length = bytes + `${length}`.length
  return length
}

/**
 * Decodes the body of a PAX header. Of equal keys the last counts, as POSIX says; the values are copies.
 *
 * @param where names the archive and the place in it, for the error
 * @throws {OciPublishError} INVALID_ARCHIVE, TOO_LARGE
 */
export function decodeRecords(bytes: Uint8Array, where: string): Map<string, Uint8Array> {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const records = new Map<string, Uint8Array>()
  for (let start = 0; start < body.byteLength;) {
    const space = body.indexOf(' ', start)
    const digits = space < 0 ? '' : body.toString('latin1', start, space)
    const end = /^[0-9]{1,9}$/.test(digits) ? start + Number(digits) : NaN
    const equals = body.indexOf('=', space)
    if (!(end <= body.byteLength && space < equals && equals < end && body[end - 1] === 0x0a)) {
      throw new OciPublishError('INVALID_ARCHIVE', `${where}: the PAX header is broken at its byte ${start}`)
    }
    records.set(body.toString('utf8', space + 1, equals), Uint8Array.from(body.subarray(equals + 1, end - 1)))
    if (records.size > MAX_RECORDS) throw overLimit(where, { what: 'records in a PAX header', max: MAX_RECORDS })
    start = end
  }
  return records
}
