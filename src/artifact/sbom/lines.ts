/** Longer ones are passed over: no line that tells of a package comes near. */
const MAX_LINE_BYTES = 1 << 16

/** Lines without their ends, one by one: a file of nothing but ends would be a hundred million strings at once. */
export function* linesOf(bytes: Uint8Array): Generator<string, void, undefined> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let start = 0; start < buffer.byteLength;) {
    const newline = buffer.indexOf(0x0a, start)
    const next = newline < 0 ? buffer.byteLength : newline
    const end = next > start && buffer[next - 1] === 0x0d ? next - 1 : next
    if (end === start) yield ''
    else if (end - start <= MAX_LINE_BYTES) yield buffer.toString('utf8', start, end)
    start = next + 1
  }
}
