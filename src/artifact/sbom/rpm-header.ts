import { OciPublishError } from '../../errors.ts'

/** Tags of RPM's headers, as far as anybody here asks for them. */
export const RPM_TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  license: 1014,
  architecture: 1022,
  sourceRpm: 1044,
} as const

const INT32 = 4
const STRING = 6
const STRING_ARRAY = 8
const I18N_STRING = 9
const ENTRY_BYTES = 16

const WANTED: ReadonlySet<number> = new Set(Object.values(RPM_TAG))

/** First values of the tags above; those of other types than text and 32-bit numbers are left out. */
export type RpmHeader = ReadonlyMap<number, string | number>

/**
 * Reads the header of a package as RPM's database keeps it: two counts, an index, and the data that it points into. All
 * numbers are big-endian.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT
 * @see RPM's documentation, "RPM V4 package format", "Header format"
 */
export function parseRpmHeader(bytes: Uint8Array, where: string): RpmHeader {
  const blob = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (blob.byteLength < 8) throw broken(where, 'it ends too early')
  const [entries, dataBytes] = [blob.readUInt32BE(0), blob.readUInt32BE(4)]
  const dataAt = 8 + entries * ENTRY_BYTES
  if (dataAt + dataBytes > blob.byteLength) throw broken(where, 'its index is longer than itself')
  const data = blob.subarray(dataAt, dataAt + dataBytes)
  const values = new Map<number, string | number>()
  for (let i = 0; i < entries; i++) {
    const at = 8 + i * ENTRY_BYTES
    const [tag, type, offset] = [blob.readUInt32BE(at), blob.readUInt32BE(at + 4), blob.readInt32BE(at + 8)]
    // The rest need not be looked at, and a tag that comes again may not make another text of the same bytes.
    if (!WANTED.has(tag) || values.has(tag)) continue
    if (type === INT32 && offset >= 0 && offset + 4 <= data.byteLength) values.set(tag, data.readUInt32BE(offset))
    if (type === STRING || type === STRING_ARRAY || type === I18N_STRING) {
      const end = offset < 0 ? -1 : data.indexOf(0, offset)
      if (end < 0) throw broken(where, `tag ${tag} has no end`)
      values.set(tag, data.toString('utf8', offset, end))
    }
  }
  return values
}

function broken(where: string, why: string): OciPublishError {
  return new OciPublishError('INVALID_DOCUMENT', `${where}: not a package header (${why})`)
}
