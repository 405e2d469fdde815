import type { Blob } from '../../content/blob.ts'
import { verified } from '../../content/verify.ts'
import { IntegrityError } from '../../errors.ts'
import type { RequestBody } from '../../http/transport.ts'

export interface OutgoingOptions {
  /** Told how many bytes more, or fewer, are on their way or there. */
  readonly onBytes?: ((delta: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** The source of a blob, opened once, somewhere on its way to the end. */
interface Reading {
  readonly chunks: AsyncIterator<Uint8Array>
  readonly stop: AbortController
  /** Where the next byte of it is in the blob. */
  at: number
  /** Read, and not asked for yet. */
  rest: Uint8Array
}

/**
 * The bytes of a blob on their way to a registry, whole or in pieces, counted.
 *
 * Pieces that follow each other come from one reading of the source, since that may be a download. What is asked for out
 * of turn, because it has to be sent again, opens the source anew. Never hands out more or fewer bytes than the
 * descriptor says: throws IntegrityError instead.
 */
export class Outgoing {
  readonly #blob: Blob
  readonly #options: OutgoingOptions
  #reading: Reading | undefined
  #told = 0
  #total = 0
  #sent = 0
  /**
   * Checks the digest as well. The registry does that for every upload, and a CI machine has better things to do than to
   * do it twice; but once it complains, it has to be known whose fault it is.
   */
  verify = false

  constructor(blob: Blob, options: OutgoingOptions) {
    this.#blob = blob
    this.#options = options
  }

  /** Bytes handed out, ever. */
  get total(): number {
    return this.#total
  }

  /** Bytes handed out of the body that was opened last. */
  get sent(): number {
    return this.#sent
  }

  /** So many bytes from an offset on. */
  body(from: number, size: number): RequestBody {
    this.#sent = 0
    return { size, open: ({ signal } = {}) => this.#piece(from, size, signal) }
  }

  /** Ends what is being read of the source. */
  close(): void {
    if (this.#reading) drop(this.#reading)
    this.#reading = undefined
  }

  async *#piece(from: number, size: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    this.#tell(from - this.#told)
    this.#sent = 0
    const reading = this.#openAt(from)
    // Whoever else reads opens it anew: this one may still be waiting for its source when it is given up.
    this.#reading = undefined
    let left = size
    const abandon = (): void => {
      if (left > 0) drop(reading)
    }
    signal?.addEventListener('abort', abandon, { once: true })
    try {
      while (left > 0) {
        const chunk = await take(reading, left)
        if (!chunk) throw this.#wrong(reading.at)
        left -= chunk.byteLength
        yield chunk
        // Counted when the next one is asked for: until then it may not have been sent.
        this.#sent += chunk.byteLength
        this.#total += chunk.byteLength
        this.#tell(chunk.byteLength)
      }
      if (reading.at === this.#blob.descriptor.size && (await take(reading, 1))) throw this.#wrong('more')
      this.#reading = reading
    } finally {
      signal?.removeEventListener('abort', abandon)
      if (this.#reading !== reading) drop(reading)
    }
  }

  #openAt(from: number): Reading {
    if (this.#reading?.at === from) return this.#reading
    this.close()
    const stop = new AbortController()
    const { signal: outer } = this.#options
    const signal = outer ? AbortSignal.any([outer, stop.signal]) : stop.signal
    const { descriptor } = this.#blob
    const bytes = this.#blob.open({ offset: from, signal })
    const checked = this.verify && from === 0 ? verified(bytes, descriptor, descriptor.digest) : bytes
    return { chunks: checked[Symbol.asyncIterator](), stop, at: from, rest: new Uint8Array() }
  }

  #tell(delta: number): void {
    this.#told += delta
    if (delta !== 0) this.#options.onBytes?.(delta)
  }

  #wrong(actual: number | 'more'): IntegrityError {
    const { digest, size } = this.#blob.descriptor
    return new IntegrityError(digest, `${size} bytes`, `${actual}`)
  }
}

/** At most so many bytes; undefined at the end. */
async function take(reading: Reading, most: number): Promise<Uint8Array | undefined> {
  while (reading.rest.byteLength === 0) {
    const read = await reading.chunks.next()
    if (read.done === true) return undefined
    reading.rest = read.value
  }
  const chunk = reading.rest.subarray(0, most)
  reading.rest = reading.rest.subarray(chunk.byteLength)
  reading.at += chunk.byteLength
  return chunk
}

function drop({ chunks, stop }: Reading): void {
  stop.abort()
  // It is of no interest any more, and may be waiting for its source.
  void chunks.return?.().catch(() => undefined)
}
