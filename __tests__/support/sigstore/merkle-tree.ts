import { createHash } from 'node:crypto'

export interface Inclusion {
  readonly root: Buffer
  readonly size: number
  /** From the leaf upwards. */
  readonly path: readonly Buffer[]
}

/** Hash of an entry (RFC 6962, 2.1). */
export function leafHash(entry: Uint8Array): Buffer {
  return hash(Buffer.from([0]), entry)
}

/** That a leaf is in the tree of all of them (RFC 6962, 2.1.1). */
export function prove(leaves: readonly Buffer[], index: number): Inclusion {
  return { root: rootOf(leaves), size: leaves.length, path: pathOf(leaves, index) }
}

function pathOf(leaves: readonly Buffer[], index: number): readonly Buffer[] {
  if (leaves.length <= 1) return []
  const split = splitOf(leaves.length)
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)]
  return index < split ? [...pathOf(left, index), rootOf(right)] : [...pathOf(right, index - split), rootOf(left)]
}

function rootOf(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves
  if (first === undefined) return hash()
  if (leaves.length === 1) return first
  const split = splitOf(leaves.length)
  return hash(Buffer.from([1]), rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)))
}

/** The largest power of two below `size`. */
function splitOf(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1))
}

function hash(...parts: readonly Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest()
}
