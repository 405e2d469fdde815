import { createHash } from 'node:crypto'
import { IntegrityError, OciPublishError } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { algorithmOf, hexOf } from '../oci/digest.ts'
import type { Abortable } from '../async/abortable.ts'

/**
 * Passes chunks on and checks them against the descriptor. The last chunk is only handed out once the digest is known to
 * be right, so that whoever stops reading at the expected size has read verified bytes.
 *
 * @param from where the bytes come from, in words, for the error
 * @throws {IntegrityError}
 */
export async function* verified(
  source: AsyncIterable<Uint8Array>,
  { digest, size }: Descriptor,
  from: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash(algorithmOf(digest))
  let seen = 0
  let held: Uint8Array | undefined
  for await (const chunk of source) {
    seen += chunk.byteLength
    if (seen > size) throw new IntegrityError(from, `${size} bytes`, 'more')
    hash.update(chunk)
    if (held) yield held
    held = chunk
  }
  if (seen < size) throw new IntegrityError(from, `${size} bytes`, `${seen}`)
  const hex = hash.digest('hex')
  if (hex !== hexOf(digest)) throw new IntegrityError(from, digest, `${algorithmOf(digest)}:${hex}`)
  if (held) yield held
}

/**
 * Reads all of something that is meant to be small.
 *
 * @throws {OciPublishError} TOO_LARGE as soon as there are more than `maxBytes`
 */
export async function readAll(
  source: AsyncIterable<Uint8Array>,
  { maxBytes, what, signal }: Abortable & { readonly maxBytes: number; readonly what: string },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of source) {
    signal?.throwIfAborted()
    size += chunk.byteLength
    if (size > maxBytes) throw new OciPublishError('TOO_LARGE', `${what} has more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
}
