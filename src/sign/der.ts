import { OciPublishError } from '../errors.ts'

/** A value in DER (X.690): its identifier octet, the bytes it consists of, and of what is constructed the parts. */
export interface Der {
  /** Class, whether it is constructed, and number, in one octet: 0x30 is SEQUENCE, 0xa3 is [3]. */
  readonly tag: number
  readonly content: Uint8Array
  /** Of a primitive value none. */
  readonly children: readonly Der[]
}

/** Certificates nest ten deep. */
const MAX_DEPTH = 32

/** Those in use have about ten. */
const MAX_OID_BYTES = 128

const CONSTRUCTED = 0x20
const LONG_TAG = 0x1f

/**
 * Reads one value in DER, and nothing after it.
 *
 * @param where names the bytes in the error
 * @throws {OciPublishError} INVALID_DOCUMENT for what is cut off, of indefinite length, or not the shortest form
 */
export function readDer(bytes: Uint8Array, where: string): Der {
  const [value, ...more] = valuesOf(bytes, 0, where)
  if (value && more.length === 0) return value
  throw invalid(where, value ? 'something follows its end' : 'it is empty')
}

/**
 * The dotted form of an OBJECT IDENTIFIER.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT
 */
export function oidOf({ tag, content }: Der, where: string): string {
  const last = content.at(-1)
  if (tag !== 0x06 || last === undefined || last >= 0x80 || content.byteLength > MAX_OID_BYTES) {
    throw invalid(where, 'it has no object identifier where one has to be')
  }
  const arcs: bigint[] = []
  let arc = 0n
  for (const octet of content) {
    if (arc === 0n && octet === 0x80) throw invalid(where, 'an object identifier is not in its shortest form')
    arc = (arc << 7n) | BigInt(octet & 0x7f)
    if (octet >= 0x80) continue
    arcs.push(arc)
    arc = 0n
  }
  const [both = 0n, ...rest] = arcs
  const first = both < 80n ? both / 40n : 2n // the first two share a number
  return [first, both - first * 40n, ...rest].join('.')
}

function valuesOf(bytes: Uint8Array, depth: number, where: string): readonly Der[] {
  if (depth > MAX_DEPTH) throw invalid(where, 'it nests too deep')
  const values: Der[] = []
  let at = 0
  while (at < bytes.byteLength) {
    const { tag, start, end } = headerOf(bytes, at, where)
    const content = bytes.subarray(start, end)
    const children = (tag & CONSTRUCTED) === 0 ? [] : valuesOf(content, depth + 1, where)
    values.push({ tag, content, children })
    at = end
  }
  return values
}

function headerOf(bytes: Uint8Array, at: number, where: string): { tag: number; start: number; end: number } {
  const [tag, short] = [bytes[at], bytes[at + 1]]
  if (tag === undefined || short === undefined) throw invalid(where, 'it is cut off')
  if ((tag & LONG_TAG) === LONG_TAG) throw invalid(where, 'it has a tag of several octets')
  if (short === 0x80) throw invalid(where, 'it has an indefinite length')
  const octets = short < 0x80 ? new Uint8Array() : bytes.subarray(at + 2, at + 2 + (short & 0x7f))
  if (octets.length > 4) throw invalid(where, 'it is too long')
  if (short >= 0x80 && octets.length < (short & 0x7f)) throw invalid(where, 'it is cut off')
  const length = short < 0x80 ? short : octets.reduce((sum, octet) => sum * 256 + octet, 0)
  if (short >= 0x80 && (length < 0x80 || octets[0] === 0)) throw invalid(where, 'a length is not in its shortest form')
  const start = at + 2 + octets.length
  if (start + length > bytes.byteLength) throw invalid(where, 'it is cut off')
  return { tag, start, end: start + length }
}

function invalid(where: string, because: string): OciPublishError {
  return new OciPublishError('INVALID_DOCUMENT', `${where}: is not DER: ${because}`)
}
