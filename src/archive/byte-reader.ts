const NOTHING: Uint8Array = new Uint8Array(0)

/** Reads a stream by numbers of bytes, whatever its chunks. One reader at a time, and `close` when there is no more use. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #signal: AbortSignal | undefined
  #chunk: Uint8Array = NOTHING
  #position = 0

  constructor(source: AsyncIterable<Uint8Array>, signal?: AbortSignal) {
    this.#source = source[Symbol.asyncIterator]()
    this.#signal = signal
  }

  /** Bytes that were read or skipped so far. */
  get position(): number {
    return this.#position
  }

  /** The next bytes, `maxBytes` of them or as many as are at hand, at least one. undefined is the end. */
  async readSome(maxBytes: number): Promise<Uint8Array | undefined> {
    if (!(await this.#fill())) return undefined
    return this.#take(maxBytes)
  }

  /** The next `bytes`; fewer only at the end of the stream. They stay valid, and may be part of a larger chunk. */
  async read(bytes: number): Promise<Uint8Array> {
    if (this.#chunk.byteLength >= bytes) return this.#take(bytes)
    const parts: Uint8Array[] = []
    let missing = bytes
    while (missing > 0) {
      const part = await this.readSome(missing)
      if (part === undefined) break
      parts.push(part)
      missing -= part.byteLength
    }
    return Buffer.concat(parts)
  }

  /** The bytes that the next read will give; fewer only at the end of the stream. */
  async peek(bytes: number): Promise<Uint8Array> {
    const start = await this.read(bytes)
    this.#chunk = this.#chunk.byteLength === 0 ? start : Buffer.concat([start, this.#chunk])
    this.#position -= start.byteLength
    return start
  }

  /** Passes over the next `bytes` and says how many there were; fewer only at the end of the stream. */
  async skip(bytes: number): Promise<number> {
    let missing = bytes
    while (missing > 0) {
      const part = await this.readSome(missing)
      if (part === undefined) break
      missing -= part.byteLength
    }
    return bytes - missing
  }

  /** Everything that is left. */
  async *rest(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const part = await this.readSome(Infinity)
      if (part === undefined) return
      yield part
    }
  }

  /** Lets the source go, read to its end or not. */
  async close(): Promise<void> {
    this.#chunk = NOTHING
    await this.#source.return?.()
  }

  #take(maxBytes: number): Uint8Array {
    const part = this.#chunk.subarray(0, maxBytes)
    this.#chunk = this.#chunk.subarray(part.byteLength)
    this.#position += part.byteLength
    return part
  }

  async #fill(): Promise<boolean> {
    while (this.#chunk.byteLength === 0) {
      this.#signal?.throwIfAborted()
      const next = await this.#source.next()
      if (next.done === true) return false
      this.#chunk = next.value
    }
    return true
  }
}
