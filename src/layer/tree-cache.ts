import type { Cache } from '../content/cache.ts'
import type { Abortable } from '../async/abortable.ts'
import { parseJson } from '../parse.ts'
import type { LayerTree, TreeEntry } from './layer-tree.ts'

/** As kept: `[path, type, mode, uid, gid, linkTarget or text]`. Bases have a hundred thousand of them. */
type Row = readonly [string, 'f' | 'd' | 'l' | 't' | 'o', number, number, number, string?]

const TYPES: ReadonlySet<string> = new Set('fdlto')

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
  const json = JSON.stringify({ entries: tree.entries.map(rowOf), whiteouts, opaques })
  await cache.write(keyOf(id), new TextEncoder().encode(json), options)
}

function rowOf({ path, type, mode, uid, gid, linkTarget, text }: TreeEntry): Row {
  if (linkTarget !== undefined) return [path, 'l', mode, uid, gid, linkTarget]
  if (text !== undefined) return [path, 't', mode, uid, gid, text]
  return [path, type === 'directory' ? 'd' : type === 'file' ? 'f' : 'o', mode, uid, gid]
}

// By hand: a schema takes ten times as long for so many rows.
function decodeTree(value: unknown): LayerTree | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { entries, whiteouts, opaques } = value as Readonly<Record<string, unknown>>
  if (!isTexts(whiteouts) || !isTexts(opaques) || !Array.isArray(entries) || !entries.every(isRow)) return undefined
  return { entries: entries.map(entryOf), whiteouts, opaques }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(one => typeof one === 'string')
}

function isRow(value: unknown): value is Row {
  if (!Array.isArray(value)) return false
  const [path, type, mode, uid, gid, text] = value as readonly unknown[]
  return (
    typeof path === 'string' &&
    typeof type === 'string' &&
    TYPES.has(type) &&
    Number.isSafeInteger(mode) &&
    Number.isSafeInteger(uid) &&
    Number.isSafeInteger(gid) &&
    (typeof text === 'string') === (type === 'l' || type === 't')
  )
}

function entryOf([path, type, mode, uid, gid, text]: Row): TreeEntry {
  switch (type) {
    case 'd':
      return { path, type: 'directory', mode, uid, gid }
    case 'f':
      return { path, type: 'file', mode, uid, gid }
    case 't':
      return { path, type: 'file', mode, uid, gid, text }
    case 'l':
      return { path, type: 'symlink', mode, uid, gid, linkTarget: text }
    case 'o':
      return { path, type: 'other', mode, uid, gid }
  }
}
