/** The fields of a header as text or bytes, put in their places without a look at them. */
export interface RawHeader {
  readonly name: string | Uint8Array
  readonly mode?: string
  readonly uid?: string | Uint8Array
  readonly gid?: string
  readonly size?: string | Uint8Array
  readonly mtime?: string | Uint8Array
  readonly typeflag?: string
  readonly linkName?: string
  /** 8 bytes: magic and version. */
  readonly magic?: string
  readonly major?: string
  readonly minor?: string
  readonly prefix?: string
  /** At byte 508. */
  readonly trailer?: string
  /** Instead of the right one. */
  readonly checksum?: string
  /** Sum bytes as if they were signed. */
  readonly signed?: boolean
}

export const POSIX = 'ustar\x0000'
export const GNU = 'ustar  \0'

/** A header as other programs write them; not made with our own encoder. */
export function rawHeader(fields: RawHeader): Buffer {
  const record = Buffer.alloc(512)
  const put = (at: number, value: string | Uint8Array = ''): void => {
    record.set(Buffer.from(value as string), at)
  }
  put(0, fields.name)
  put(100, fields.mode ?? '0000644\0')
  put(108, fields.uid ?? '0000000\0')
  put(116, fields.gid ?? '0000000\0')
  put(124, fields.size ?? '00000000000\0')
  put(136, fields.mtime ?? '00000000000\0')
  put(148, '        ')
  put(156, fields.typeflag ?? '0')
  put(157, fields.linkName)
  put(257, fields.magic)
  put(329, fields.major)
  put(337, fields.minor)
  put(345, fields.prefix)
  put(508, fields.trailer)
  const sum = record.reduce((total, byte) => total + (fields.signed && byte > 127 ? byte - 256 : byte), 0)
  put(148, fields.checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `)
  return record
}

/** A header and its body, padded. */
export function rawMember(fields: RawHeader, body: string | Uint8Array): Buffer {
  const bytes = Buffer.from(body as string)
  const size = `${bytes.byteLength.toString(8).padStart(11, '0')}\0`
  return Buffer.concat([rawHeader({ size, ...fields }), bytes, Buffer.alloc((512 - (bytes.byteLength % 512)) % 512)])
}

export const END: Buffer = Buffer.alloc(1024)
