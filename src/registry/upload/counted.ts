import type { Blob } from '../../content/blob.ts'
import { verified } from '../../content/verify.ts'
import { IntegrityError } from '../../errors.ts'

/** A blob that counts what is read of it. */
export interface CountedBlob {
  readonly blob: Blob
  /** Bytes since it was opened last. */
  readonly current: () => number
  /** Bytes ever. */
  readonly total: () => number
}

export interface CountOptions {
  /**
   * Checks the digest as well. The registry does that for every upload, and a CI machine has better things to do than
   * to do it twice; but once it complains, it has to be known whose fault it is.
   */
  readonly verify: boolean
  readonly onBytes?: ((delta: number) => void) | undefined
}

/** Never hands out more or fewer bytes than the descriptor says. Throws IntegrityError instead. */
export function counted(source: Blob, { verify, onBytes }: CountOptions): CountedBlob {
  let current = 0
  let total = 0
  const { descriptor } = source
  const { digest, size } = descriptor
  return {
    current: () => current,
    total: () => total,
    blob: {
      descriptor,
      async *open(options) {
        if (current > 0) onBytes?.(-current)
        current = 0
        const bytes = source.open(options)
        for await (const chunk of verify ? verified(bytes, descriptor, digest) : bytes) {
          if (current + chunk.byteLength > size) throw new IntegrityError(digest, `${size} bytes`, 'more')
          yield chunk
          // Counted when the next one is asked for: until then it may not have been sent.
          current += chunk.byteLength
          total += chunk.byteLength
          onBytes?.(chunk.byteLength)
        }
        if (current < size) throw new IntegrityError(digest, `${size} bytes`, `${current}`)
      },
    },
  }
}
