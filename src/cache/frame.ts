import { digestOf } from '../oci/digest.ts'

const DIGEST_BYTES = 'sha256:'.length + 64

/** What stands before a value. */
export const FRAME_BYTES: number = DIGEST_BYTES + 1

/** A value as it is stored: its digest on a line of its own, so that what was cut or garbled is seen. */
export function frame(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${digestOf(bytes)}\n`), bytes])
}

/** The value, undefined when it is not what was stored. */
export function unframe(framed: Uint8Array): Uint8Array | undefined {
  const digest = Buffer.from(framed.subarray(0, DIGEST_BYTES)).toString('latin1')
  const bytes = framed.subarray(FRAME_BYTES)
  return digestOf(bytes) === digest ? bytes : undefined
}
