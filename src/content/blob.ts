import { openRegularFile, type FileIdentity } from '../files/regular-file.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Document } from '../oci/manifest.ts'
import type { Abortable } from '../async/abortable.ts'

export interface ReadOptions extends Abortable {
  /** First byte wanted, so that a broken transfer goes on where it stopped. */
  readonly offset?: number | undefined
}

/**
 * Content and the descriptor that identifies it.
 *
 * `open` works any number of times. Nothing is acquired before the first chunk is asked for and leaving the loop
 * early releases it, so a blob that nobody reads (a reused layer, a mounted one) costs nothing.
 */
export interface Blob {
  readonly descriptor: Descriptor
  open(options?: ReadOptions): AsyncIterable<Uint8Array>
}

/** A blob whose bytes are at hand: manifests and configs. */
export function bytesBlob({ descriptor, bytes }: Document): Blob {
  return {
    descriptor,
    async *open({ offset = 0, signal } = {}) {
      signal?.throwIfAborted()
      yield await Promise.resolve(bytes.subarray(offset))
    },
  }
}

/**
 * A blob in a regular file, which must stay there for as long as the blob is used.
 *
 * @param found what was there when it was looked at; without it any regular file will do
 */
export function fileBlob(path: string, descriptor: Descriptor, found?: FileIdentity): Blob {
  return {
    descriptor,
    async *open({ offset = 0, signal } = {}) {
      signal?.throwIfAborted()
      // Large chunks: with the default of 64 KiB the upload costs a third more.
      const file = await openRegularFile(path, found)
      // Closes the file at its end, or when nobody wants more.
      for await (const chunk of file.createReadStream({ start: offset, highWaterMark: 1 << 20 })) {
        signal?.throwIfAborted()
        yield chunk as Uint8Array
      }
    },
  }
}

/** Another description (platform, annotations, media type) of the same bytes. */
export function describedAs(blob: Blob, descriptor: Descriptor): Blob {
  return { descriptor, open: options => blob.open(options) }
}
