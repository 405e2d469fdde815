import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReadOptions } from '../content/blob.ts'
import type { Abortable } from '../async/abortable.ts'
import { OciPublishError } from '../errors.ts'
import { algorithmOf, hexOf, type Digest } from '../oci/digest.ts'
import { checkFolders, readRange } from './regular-file.ts'
import { isAbsent } from './system-code.ts'

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

/** The files of a directory that may be anybody's: only regular files count, and no link is followed. */
export function directoryFiles(path: string, place: string): LayoutFiles {
  return {
    place,
    async sizeOf(name, { signal } = {}) {
      signal?.throwIfAborted()
      try {
        await checkFolders(path, name, place)
        const found = await lstat(join(path, name))
        return found.isFile() ? found.size : undefined
      } catch (error) {
        if (isAbsent(error)) return undefined
        throw error
      }
    },
    async *read(name, options) {
      const file = join(path, name)
      try {
        await checkFolders(path, name, place)
        yield* readRange(file, { place, signal: options?.signal, start: options?.offset ?? 0 })
      } catch (error) {
        if (isAbsent(error)) throw absent(place, file, error)
        throw error
      }
    },
  }
}

export function absent(place: string, file: string, cause?: unknown): OciPublishError {
  return new OciPublishError('NOT_FOUND', `${place}: there is no ${file}`, { cause })
}
