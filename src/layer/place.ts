import type { BaseEntry, BaseTree } from './base-tree.ts'
import type { FilesSpec } from './line.ts'
import type { WalkedFile } from './scan.ts'
import type { Match } from './walk.ts'

/** What the line puts at a path. */
export interface Placed {
  readonly type: 'file' | 'directory' | 'symlink'
  /** undefined for DEST itself. */
  readonly source: WalkedFile | undefined
}

interface Placing {
  readonly spec: FilesSpec
  readonly tree: BaseTree
  readonly placed: Map<string, Placed>
  readonly says: string[]
}

/**
 * Where everything lands, by path in the image, symlinks of the base followed in DEST and above. The rules are those of
 * COPY: a directory gives its contents, a file goes to DEST, or into it when DEST ends with a slash or is a directory of
 * the base. Two files for one path are a mistake: one of them would be lost without a word.
 */
export function placeMatches(
  spec: FilesSpec,
  matches: readonly Match[],
  tree: BaseTree,
  says: string[],
): ReadonlyMap<string, Placed> {
  const placing: Placing = { spec, tree, placed: new Map(), says }
  const dest = spec.dest.slice(1)
  const directory = spec.dest.endsWith('/') || isBaseDirectory(dest, tree)
  if (matches.length > 1 && !directory) {
    says.push(`${spec.src} names ${matches.length} sources; end the destination with a slash: ${spec.dest}/`)
    return placing.placed
  }
  for (const match of matches) {
    if (match.kind === 'file' && !directory) placeFileAt(dest, match.file, placing)
    else placeInto(dest, match, placing)
  }
  return placing.placed
}

function isBaseDirectory(path: string, tree: BaseTree): boolean {
  const resolved = tree.resolve(path)
  return resolved.problem === undefined && tree.lookup(resolved.path)?.type === 'directory'
}

/** A symlink of the base at the path itself is replaced, not followed. */
function placeFileAt(dest: string, file: WalkedFile, placing: Placing): void {
  const resolved = placing.tree.resolveParents(dest)
  if (resolved.problem !== undefined) placing.says.push(resolved.problem)
  else put(resolved.path, file, placing.tree.lookup(resolved.path), placing)
}

function placeInto(dest: string, match: Match, placing: Placing): void {
  const root = directoryAt(dest, placing)
  if (root === undefined) return
  if (match.kind === 'file') {
    const path = join(root, match.name)
    put(path, match.file, placing.tree.lookup(path), placing)
    return
  }
  // Directories may land elsewhere than their names say, so that each is asked where its children go. Below one that is
  // new, nothing is there to meet: the tree need not be asked about each of ten thousand files.
  const landed = new Map([['', { path: root, isNew: placing.tree.lookup(root) === undefined }]])
  for (const file of match.files) {
    const slash = file.relative.lastIndexOf('/')
    const parent = landed.get(file.relative.slice(0, Math.max(0, slash)))
    if (parent === undefined) continue // has been told of
    const path = join(parent.path, file.relative.slice(slash + 1))
    const there = parent.isNew ? undefined : placing.tree.lookup(path)
    if (file.type !== 'directory') put(path, file, there, placing)
    else {
      const lands = placeDirectory(path, file, there, placing)
      if (lands !== undefined) landed.set(file.relative, { path: lands, isNew: there === undefined })
    }
  }
}

/** DEST as a directory: where it is, and that it has to be there. */
function directoryAt(dest: string, { tree, placed, says }: Placing): string | undefined {
  const resolved = tree.resolve(dest)
  if (resolved.problem !== undefined) {
    if (!says.includes(resolved.problem)) says.push(resolved.problem)
    return undefined
  }
  const base = tree.lookup(resolved.path)
  if (base && base.type !== 'directory') {
    const problem = `/${resolved.path} is not a directory in the layers below`
    if (!says.includes(problem)) says.push(problem)
    return undefined
  }
  if (resolved.path !== '' && !placed.has(resolved.path)) {
    placed.set(resolved.path, { type: 'directory', source: undefined })
  }
  return resolved.path
}

/** @returns where its children go */
function placeDirectory(
  path: string,
  source: WalkedFile,
  base: BaseEntry | undefined,
  placing: Placing,
): string | undefined {
  const { spec, says } = placing
  if (base?.type === 'symlink') {
    const target = base.linkTarget ?? ''
    if (spec.followLinks) return followLink(path, target, source, placing)
    says.push(
      `/${path} is a symlink in the layers below (to ${target}); the directory ${source.path} would replace it and hide what ` +
        `it leads to; copy to where it points, or add follow-links=true`,
    )
    return undefined
  }
  if (base && base.type !== 'directory') {
    says.push(`cannot replace the file /${path} of the layers below with the directory ${source.path}`)
    return undefined
  }
  return put(path, source, base, placing) ? path : undefined
}

function followLink(path: string, target: string, source: WalkedFile, placing: Placing): string | undefined {
  const { tree, says } = placing
  const resolved = tree.resolve(path)
  if (resolved.problem !== undefined) {
    says.push(resolved.problem)
    return undefined
  }
  const base = tree.lookup(resolved.path)
  if (base && base.type !== 'directory') {
    says.push(`/${path} of the layers below points at ${target}, which is not a directory; ${source.path} is one`)
    return undefined
  }
  if (resolved.path === '') return '' // the root has no entry
  return put(resolved.path, source, base, placing) ? resolved.path : undefined
}

function put(path: string, source: WalkedFile, base: BaseEntry | undefined, { placed, says }: Placing): boolean {
  const known = placed.get(path)
  if (known && (known.type === 'directory') !== (source.type === 'directory')) {
    says.push(`/${path} would be a file and a directory (${source.path} is one of them)`)
    return false
  }
  if (known?.source && source.type !== 'directory') {
    says.push(`${known.source.path} and ${source.path} would both be /${path}`)
    return false
  }
  if (source.type !== 'directory' && base?.type === 'directory') {
    says.push(`cannot replace the directory /${path} of the layers below with ${source.path}`)
    return false
  }
  placed.set(path, { type: source.type, source })
  return true
}

function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}
