import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReadOptions } from '../content/blob.ts'
import type { Abortable } from '../async/abortable.ts'
import { OciPublishError } from '../errors.ts'
import { algorithmOf, hexOf, type Digest } from '../oci/digest.ts'

/** The files of a layout, wherever they are. Names are those of image-spec v1.1.1, image-layout.md. */
export interface LayoutFiles {
  /** For messages: `oci:out`. */
  readonly place: string
  /** Bytes, undefined when there is no such file. */
  sizeOf(name: string, options?: Abortable): Promise<number | undefined>
  /** @throws {OciPublishError} NOT_FOUND */
  read(name: string, options?: ReadOptions): AsyncIterable<Uint8Array>
}

export const LAYOUT_FILE = 'oci-layout'
export const INDEX_FILE = 'index.json'

export function blobFile(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`
}

export function directoryFiles(path: string, place: string): LayoutFiles {
  return {
    place,
    async sizeOf(name, { signal } = {}) {
      signal?.throwIfAborted()
      try {
        const found = await stat(join(path, name))
        return found.isFile() ? found.size : undefined
      } catch (error) {
        if (isAbsent(error)) return undefined
        throw error
      }
    },
    async *read(name, options) {
      const file = join(path, name)
      try {
        yield* readRange(file, { ...options, start: options?.offset ?? 0 })
      } catch (error) {
        if (isAbsent(error)) throw absent(place, file, error)
        throw error
      }
    },
  }
}

/** Large chunks: with the default of 64 KiB an upload costs a third more. */
const CHUNK_BYTES = 1 << 20

/** A part of a file, to its end unless `bytes` are given. */
export async function* readRange(
  file: string,
  { start, bytes = Infinity, signal }: Abortable & { readonly start: number; readonly bytes?: number },
): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted()
  if (bytes <= 0) return
  const stream = createReadStream(file, { start, end: start + bytes - 1, highWaterMark: CHUNK_BYTES })
  for await (const chunk of stream) {
    signal?.throwIfAborted()
    yield chunk as Uint8Array
  }
}

/** Whether the system says that there is no such file. */
export function isAbsent(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** What the system calls a failure: `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  const isSaid = typeof error === 'object' && error !== null && 'code' in error
  return isSaid && typeof error.code === 'string' ? error.code : undefined
}

export function absent(place: string, file: string, cause?: unknown): OciPublishError {
  return new OciPublishError('NOT_FOUND', `${place}: there is no ${file}`, { cause })
}
