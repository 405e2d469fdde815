/** What an entry of a layer deletes from the layers below (image-spec v1.1.1, layer.md, "Whiteouts"). */
export type Deletion =
  | { readonly kind: 'whiteout'; readonly path: string }
  | { readonly kind: 'opaque'; readonly directory: string }
  /** A name that means a deletion, but of nothing: aufs kept its own files so. */
  | { readonly kind: 'invalid' }

const PREFIX = '.wh.'
const OPAQUE = '.wh..wh..opq'

/** @returns undefined for a path that stands for itself */
export function whiteoutOf(path: string): Deletion | undefined {
  const slash = path.lastIndexOf('/')
  const directory = path.slice(0, Math.max(0, slash))
  const name = path.slice(slash + 1)
  if (!name.startsWith(PREFIX))
    return directory.includes(PREFIX) && /(?:^|\/)[.]wh[.]/.test(directory) ? INVALID : undefined
  if (name === OPAQUE) return { kind: 'opaque', directory }
  const deleted = name.slice(PREFIX.length)
  if (deleted === '' || deleted === '.' || deleted === '..' || deleted.startsWith(PREFIX)) return INVALID
  return { kind: 'whiteout', path: directory === '' ? deleted : `${directory}/${deleted}` }
}

const INVALID: Deletion = { kind: 'invalid' }
