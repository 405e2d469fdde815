import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rm, type FileHandle } from 'node:fs/promises'
import type { Abortable } from '../async/abortable.ts'
import type { Source } from '../content/ports.ts'
import { IntegrityError, OciPublishError } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { algorithmOf, hexOf } from '../oci/digest.ts'

export interface FetchOptions extends Abortable {
  /** Bytes that came since the last call; those of an earlier attempt at once. */
  readonly onBytes?: ((delta: number) => void) | undefined
}

/** Windows has none, and links only for administrators. */
const NO_FOLLOW = (constants as { readonly O_NOFOLLOW?: number }).O_NOFOLLOW ?? 0

/** Less is not worth a file that is left behind. */
const KEEP_BYTES = 8 << 20

/**
 * Gets a blob into a file, and goes on where an earlier attempt stopped: what is there is hashed, the rest is asked for.
 * When this fails, what came stays there for another attempt, if it is much.
 *
 * @throws {IntegrityError} when the bytes are not what the descriptor says; nothing is left behind
 */
export async function fetchFile(
  source: Source,
  descriptor: Descriptor,
  file: string,
  { onBytes = (): void => undefined, signal }: FetchOptions = {},
): Promise<void> {
  for (;;) {
    const attempt: Attempt = { resumedAt: 0, bytes: 0 }
    try {
      await fetchRest(attempt, source, descriptor, file, { onBytes, signal })
      return
    } catch (error) {
      const isWrong = error instanceof IntegrityError
      if (isWrong || attempt.bytes < KEEP_BYTES) await rm(file, { force: true })
      // It may be the beginning that is wrong: a crash of the machine leaves files with holes.
      if (!isWrong || attempt.resumedAt === 0) throw error
      onBytes(-attempt.bytes)
    }
  }
}

/** How far it came. */
interface Attempt {
  resumedAt: number
  bytes: number
}

async function fetchRest(
  attempt: Attempt,
  source: Source,
  descriptor: Descriptor,
  file: string,
  { onBytes, signal }: Required<FetchOptions>,
): Promise<void> {
  const { digest, size } = descriptor
  const where = `${source.place}@${digest}`
  // Never through a link that somebody has put there.
  const handle = await open(file, constants.O_RDWR | constants.O_CREAT | NO_FOLLOW, 0o666)
  try {
    const found = await handle.stat()
    if (!found.isFile()) throw new OciPublishError('FILE_NOT_WRITTEN', `${file} is in the way: it is no file`)
    if (found.size > size) await handle.truncate(0)
    // From the start on, the source verifies; a second hash would take as long as all the rest.
    const hash = found.size > 0 && found.size <= size ? createHash(algorithmOf(digest)) : undefined
    if (hash) attempt.resumedAt = await hashFile(handle, found.size, hash, { signal })
    attempt.bytes = attempt.resumedAt
    onBytes?.(attempt.resumedAt)
    const isWhole = attempt.resumedAt === size && size > 0
    for await (const chunk of isWhole ? [] : source.open(descriptor, { offset: attempt.resumedAt, signal })) {
      signal?.throwIfAborted()
      if (attempt.bytes + chunk.byteLength > size) throw new IntegrityError(where, `${size} bytes`, 'more')
      await writeAt(handle, chunk, attempt.bytes)
      hash?.update(chunk)
      attempt.bytes += chunk.byteLength
      onBytes?.(chunk.byteLength)
    }
    if (attempt.bytes < size) throw new IntegrityError(where, `${size} bytes`, `${attempt.bytes}`)
    const hex = hash?.digest('hex')
    if (hex !== undefined && hex !== hexOf(digest))
      throw new IntegrityError(where, digest, `${algorithmOf(digest)}:${hex}`)
  } finally {
    await handle.close()
  }
}

async function writeAt(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < chunk.byteLength) {
    written += (await handle.write(chunk, written, chunk.byteLength - written, position + written)).bytesWritten
  }
}

const PIECE_BYTES = 1 << 20

async function hashFile(handle: FileHandle, size: number, hash: Hash, { signal }: Abortable): Promise<number> {
  const piece = Buffer.allocUnsafe(PIECE_BYTES)
  let at = 0
  while (at < size) {
    signal?.throwIfAborted()
    const { bytesRead } = await handle.read(piece, 0, Math.min(PIECE_BYTES, size - at), at)
    if (bytesRead === 0) break
    hash.update(piece.subarray(0, bytesRead))
    at += bytesRead
  }
  return at
}
