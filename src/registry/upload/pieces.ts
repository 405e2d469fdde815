import type { Profile } from '../profile.ts'
import type { Pieces } from './tries.ts'

/**
 * How blobs are sent. `monolithic`: in one request, which is all that every registry can take. `chunked`: in pieces,
 * where the registry can. `auto`: in one, and in pieces when a proxy refuses so much at once or a large one is cut twice.
 */
export type UploadMode = 'auto' | 'monolithic' | 'chunked'

export interface PiecesFacts {
  readonly mode: UploadMode
  readonly chunks: Profile['chunks']
  /** Bytes of the blob. */
  readonly size: number
  /** Bytes that were refused before as too large; Infinity when none were. */
  readonly refusedBytes: number
}

/** Below this, sending a blob again costs less than the requests for its pieces. */
const LARGE_BYTES = 16 << 20
/** No proxy is known that takes less at once: nginx takes 1 MiB unless it is told otherwise. */
const LEAST_BYTES = 256 << 10

/** How a blob may be sent, before anything of it is. */
export function piecesFor({ mode, chunks, size, refusedBytes }: PiecesFacts): Pieces {
  // A piece of so small a blob would be the blob.
  if (mode === 'monolithic' || chunks === 'never' || size <= LEAST_BYTES) return 'never'
  if (size >= refusedBytes || (mode === 'chunked' && size > chunks.minBytes)) return 'only'
  return size > LARGE_BYTES ? 'when-cut' : 'when-too-large'
}

/**
 * Bytes of a piece: half as many, and half of that, as long as so many were refused before.
 *
 * @param leastBytes what the registry said when it opened the session (`OCI-Chunk-Min-Length`), or 0
 * @param refusedBytes that were refused before as too large; Infinity when none were
 */
export function pieceBytes(
  chunks: Exclude<Profile['chunks'], 'never'>,
  leastBytes: number,
  refusedBytes: number,
): number {
  const least = Math.max(leastBytes, LEAST_BYTES)
  let bytes = Math.min(Math.max(chunks.minBytes, leastBytes), chunks.maxBytes)
  while (bytes >= refusedBytes && bytes > least) bytes = Math.max(least, Math.floor(bytes / 2))
  return bytes
}

/**
 * Where the next byte goes, by the `Range` header of a session: `0-99` after a hundred bytes.
 *
 * `0-0` is said of no byte as well as of one. It is taken for none: what is sent again is refused with 416 at worst.
 *
 * @returns undefined where there is none, or nothing to understand
 */
export function offsetOf(range: string | undefined): number | undefined {
  const [, last] = /^(?:bytes[= ])?0-(\d{1,15})$/.exec(range?.trim() ?? '') ?? []
  if (last === undefined) return undefined
  return last === '0' ? 0 : Number(last) + 1
}
