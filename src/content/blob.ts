import { createReadStream } from 'node:fs'
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

/** A blob in a file, which must stay there for as long as the blob is used. */
export function fileBlob(path: string, descriptor: Descriptor): Blob {
  return {
    descriptor,
    async *open({ offset = 0, signal } = {}) {
      signal?.throwIfAborted()
      // Large chunks: with the default of 64 KiB the upload costs a third more.
      const stream = createReadStream(path, { start: offset, highWaterMark: 1 << 20 })
      for await (const chunk of stream) {
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
