import { overLimit } from '../budget.ts'

/** Decompressed bytes that any stream may have, however small it is. Zeros of so many take 20 s. */
const FREE_BYTES = 10 * 2 ** 30
/** Beyond them, decompressed bytes for each compressed one. Software and models are below 10; gzip can reach 1,032. */
const RATIO = 100

export interface InflationLimits {
  readonly freeBytes?: number | undefined
  readonly ratio?: number | undefined
}

/** How much compressed streams may grow. One budget may be shared by several streams, such as the layers of an image. */
export class InflationBudget {
  readonly #freeBytes: number
  readonly #ratio: number
  #read = 0
  #made = 0

  constructor({ freeBytes = FREE_BYTES, ratio = RATIO }: InflationLimits = {}) {
    this.#freeBytes = freeBytes
    this.#ratio = ratio
  }

  /** Bytes that came, still compressed. */
  read(bytes: number): void {
    this.#read += bytes
  }

  /** @throws {OciPublishError} TOO_LARGE */
  made(bytes: number, from: string): void {
    this.#made += bytes
    const max = this.#freeBytes + this.#ratio * this.#read
    if (this.#made <= max) return
    throw overLimit(from, {
      what: `bytes when decompressed, from ${this.#read.toLocaleString('en-US')}`,
      max,
      hint: `archives may grow ${this.#ratio} times; this one looks like a decompression bomb`,
    })
  }
}
