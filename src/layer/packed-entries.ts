import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { entryOf, rowOf, type TreeEntry, type TreeRow } from './tree-entry.ts'

/** Rows that are compressed together: a millisecond's work. */
const ROWS = 1024
/** Fewer, when they are long. */
const MAX_CHARACTERS = 1 << 20

/**
 * Entries of a layer in their order, in a tenth of the memory that they take as objects: a base may have a million, and
 * all its layers wait for each other.
 */
export class PackedEntries implements Iterable<TreeEntry> {
  readonly #packed: Buffer[] = []
  readonly #onPacked: (bytes: number) => void
  #open: string[] = []
  #openCharacters = 0

  /** @param onPacked learns how many bytes of memory were taken; what it throws, `add` and `finish` throw */
  constructor(onPacked: (bytes: number) => void) {
    this.#onPacked = onPacked
  }

  add(entry: TreeEntry): void {
    const row = JSON.stringify(rowOf(entry))
    this.#open.push(row)
    this.#openCharacters += row.length
    if (this.#open.length >= ROWS || this.#openCharacters > MAX_CHARACTERS) this.finish()
  }

  /** To be called after the last entry. */
  finish(): void {
    if (this.#open.length === 0) return
    const packed = deflateRawSync(`[${this.#open.join(',')}]`, { level: 1 })
    this.#open = []
    this.#openCharacters = 0
    this.#packed.push(packed)
    this.#onPacked(packed.byteLength)
  }

  *[Symbol.iterator](): Generator<TreeEntry, void, undefined> {
    for (const packed of this.#packed) {
      for (const row of JSON.parse(inflateRawSync(packed).toString()) as readonly TreeRow[]) yield entryOf(row)
    }
  }
}
