import type { Cache } from '../content/cache.ts'
import type { Abortable } from '../async/abortable.ts'
import { parseJson } from '../parse.ts'
import type { LayerTree } from './layer-tree.ts'
import { entryOf, isRow, rowOf, type TreeEntry, type TreeRow } from './tree-entry.ts'

/** Of more, the folder would not keep them, and reading them would take as long as the layer. Bases have half as many. */
const MAX_ROWS = 200_000

const keyOf = (id: string): string => `layer-tree/v1/${id}`

/**
 * The tree of a layer of an earlier run. What cannot be understood is not there.
 *
 * @param id the layer's digest and diffID, or what else tells it from all others
 */
export async function recallTree(cache: Cache, id: string, options: Abortable): Promise<LayerTree | undefined> {
  const bytes = await cache.read(keyOf(id), options)
  try {
    return bytes && decodeTree(parseJson(bytes, keyOf(id)))
  } catch {
    return undefined
  }
}

export async function rememberTree(cache: Cache, id: string, tree: LayerTree, options: Abortable): Promise<void> {
  const { whiteouts, opaques } = tree
  const rows: TreeRow[] = []
  for (const entry of tree.entries) {
    if (rows.push(rowOf(entry)) > MAX_ROWS) return
  }
  const json = JSON.stringify({ entries: rows, whiteouts, opaques })
  await cache.write(keyOf(id), new TextEncoder().encode(json), options)
}

// By hand: a schema takes ten times as long for so many rows.
function decodeTree(value: unknown): LayerTree | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { entries, whiteouts, opaques } = value as Readonly<Record<string, unknown>>
  if (!isTexts(whiteouts) || !isTexts(opaques) || !Array.isArray(entries) || !entries.every(isRow)) return undefined
  return { entries: new Rows(entries), whiteouts, opaques }
}

/** Entries are made one by one: as objects, all of them at once would take three times the memory. */
class Rows implements Iterable<TreeEntry> {
  readonly #rows: readonly TreeRow[]

  constructor(rows: readonly TreeRow[]) {
    this.#rows = rows
  }

  *[Symbol.iterator](): Generator<TreeEntry, void, undefined> {
    for (const row of this.#rows) yield entryOf(row)
  }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(one => typeof one === 'string')
}
