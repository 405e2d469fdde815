/** One entry of a layer, without its body. */
export interface TreeEntry {
  /** Relative to the root, one spelling; the root itself is empty. */
  readonly path: string
  /** Hard links are files; devices and pipes are `other`. */
  readonly type: 'file' | 'directory' | 'symlink' | 'other'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly linkTarget?: string | undefined
  /** The content of the few files that names of users and groups are looked up in. */
  readonly text?: string | undefined
}

/** An entry in short: `[path, type, mode, uid, gid, linkTarget or text]`. */
export type TreeRow = readonly [string, 'f' | 'd' | 'l' | 't' | 'o', number, number, number, string?]

const TYPES: ReadonlySet<string> = new Set('fdlto')

export function rowOf({ path, type, mode, uid, gid, linkTarget, text }: TreeEntry): TreeRow {
  if (linkTarget !== undefined) return [path, 'l', mode, uid, gid, linkTarget]
  if (text !== undefined) return [path, 't', mode, uid, gid, text]
  return [path, type === 'directory' ? 'd' : type === 'file' ? 'f' : 'o', mode, uid, gid]
}

// By hand: a schema takes ten times as long for so many rows.
export function isRow(value: unknown): value is TreeRow {
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

export function entryOf([path, type, mode, uid, gid, text]: TreeRow): TreeEntry {
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
