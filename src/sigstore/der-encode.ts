/** A value in DER of the parts it consists of (X.690, 8.1 and 10.1). */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.byteLength), content])
}

export const SEQUENCE = 0x30
export const INTEGER = 0x02
export const BOOLEAN = 0x01
export const OCTET_STRING = 0x04

/** The content of a positive INTEGER of big-endian bytes, in the shortest form (X.690, 8.3). */
export function positive(bytes: Uint8Array): Uint8Array {
  const from = bytes.findIndex(byte => byte !== 0)
  const digits = from < 0 ? Buffer.alloc(1) : bytes.subarray(from)
  return (digits[0] ?? 0) < 0x80 ? digits : Buffer.concat([Buffer.alloc(1), digits])
}

function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Buffer.from([length])
  const hex = length.toString(16)
  const digits = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return Buffer.concat([Buffer.from([0x80 | digits.byteLength]), digits])
}
