import type { DirectoryEntry, TarEntry } from '../archive/tar/header.ts'
import type { InputProblem } from '../errors.ts'
import type { Platform } from '../oci/platform.ts'
import type { BaseTree } from './base-tree.ts'
import type { FilesSpec } from './line.ts'
import { sortBytewise } from './order.ts'
import { resolveOwner } from './owner.ts'
import { placeMatches, type Placed } from './place.ts'
import { problemsOf } from './problem.ts'
import type { WalkedFile } from './scan.ts'
import type { Walk } from './walk.ts'

/** One entry of a layer, and the file on disk that it came from. */
export interface PlannedEntry {
  readonly entry: TarEntry
  /** undefined for directories that only have to be there. */
  readonly source: WalkedFile | undefined
}

export interface EntryFacts {
  readonly spec: FilesSpec
  readonly walk: Walk
  readonly tree: BaseTree
  /** Seconds since 1970, when the user set them. */
  readonly sourceDateEpoch: number | undefined
  /** Named in problems. */
  readonly platform?: Platform | undefined
}

export interface EntryPlan {
  /** In the order of the archive: bytewise by path, so parents before children, each path once. */
  readonly entries: readonly PlannedEntry[]
  readonly problems: readonly InputProblem[]
}

/** What the line says of everything that it adds. */
interface Look {
  readonly uid: number
  readonly gid: number
  readonly mode: number | undefined
  readonly mtime: number
}

/**
 * Lays what was found over the base: where each file lands, with which owner, mode and time. Pure.
 *
 * - Files get the line's mode, else 0755 when their owner may execute them and 0644 when not: the umask of the checkout
 *   leaves no trace. Windows has no such bit, so there it is 0644 unless the line has a mode.
 * - New directories get 0755, or the line's mode with `x` wherever there is `r` and without setuid and setgid. One that
 *   the base has keeps the base's owner and mode.
 * - The line's owner is that of DEST and what is below; directories above it that have to be made are root's.
 * - Times are the line's, else SOURCE_DATE_EPOCH, else 0.
 */
export function planEntries({ spec, walk, tree, sourceDateEpoch, platform }: EntryFacts): EntryPlan {
  const says: string[] = []
  const owner = spec.owner ? resolveOwner(spec.owner, tree.accounts()) : { uid: 0, gid: 0 }
  if ('problems' in owner) says.push(...owner.problems)
  const { uid, gid } = 'problems' in owner ? { uid: 0, gid: 0 } : owner
  const look: Look = { uid, gid, mode: spec.mode, mtime: spec.mtime ?? sourceDateEpoch ?? 0 }

  const placed = placeMatches(spec, walk.matches, tree, says)
  const planned = [...placed].map(([path, one]) => plannedEntry(path, one, look, tree))
  planned.push(...parentsOf(placed, look, tree, says))
  const entries = linkNames(sortBytewise(planned, ({ entry }) => entry.path))
  entries.forEach(assertInside)
  return { entries, problems: problemsOf(spec, says, platform) }
}

function plannedEntry(path: string, placed: Placed, look: Look, tree: BaseTree): PlannedEntry {
  const { source } = placed
  const { uid, gid, mtime } = look
  if (placed.type === 'directory') {
    const made: DirectoryEntry = { type: 'directory', path, mode: directoryMode(look.mode), uid, gid, mtime, size: 0 }
    return { entry: asInBase(made, tree), source }
  }
  if (source?.linkTarget !== undefined) {
    return {
      entry: { type: 'symlink', path, mode: 0o777, uid, gid, mtime, size: 0, linkPath: source.linkTarget },
      source,
    }
  }
  const mode = look.mode ?? ((source?.mode ?? 0) & 0o100 ? 0o755 : 0o644)
  return { entry: { type: 'file', path, mode, uid, gid, mtime, size: source?.size ?? 0 }, source }
}

function directoryMode(mode: number | undefined): number {
  return mode === undefined ? 0o755 : (mode & 0o1777) | ((mode & 0o444) >> 2)
}

/** Runtimes take the attributes of a directory from the topmost layer, so one of the base is told again as it is. */
function asInBase(entry: DirectoryEntry, tree: BaseTree): DirectoryEntry {
  const base = tree.lookup(entry.path)
  return base?.type === 'directory' ? { ...entry, mode: base.mode, uid: base.uid, gid: base.gid } : entry
}

/**
 * Every directory above. Readers differ in what they make of an entry without one: some give it other attributes than
 * the base has, some refuse the image.
 */
function parentsOf(
  placed: ReadonlyMap<string, Placed>,
  { mtime }: Look,
  tree: BaseTree,
  says: string[],
): readonly PlannedEntry[] {
  const parents = new Map<string, PlannedEntry>()
  for (const path of placed.keys()) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const parent = path.slice(0, slash)
      if (parents.has(parent)) break
      const known = placed.get(parent)
      if (known && known.type !== 'directory') says.push(`/${parent} would be a file and a directory (of /${path})`)
      if (known) continue
      const entry: DirectoryEntry = { type: 'directory', path: parent, mode: 0o755, uid: 0, gid: 0, mtime, size: 0 }
      parents.set(parent, { entry: asInBase(entry, tree), source: undefined })
    }
  }
  return [...parents.values()]
}

/** Names of one file stay names of one file: the first has the content, the others are hard links to it. */
function linkNames(entries: readonly PlannedEntry[]): readonly PlannedEntry[] {
  const first = new Map<string, string>()
  return entries.map(planned => {
    const { entry, source } = planned
    if (entry.type !== 'file' || source?.inode === undefined) return planned
    const linkPath = first.get(source.inode)
    first.set(source.inode, linkPath ?? entry.path)
    return linkPath === undefined ? planned : { entry: { ...entry, type: 'hardlink', size: 0, linkPath }, source }
  })
}

/** An empty segment, `.` or `..`. */
const NOT_INSIDE = /(?:^|\/)[.]{0,2}(?:\/|$)/

/** Whatever the names on disk and the links of the base are: this would be a bug of ours, and a hole. */
function assertInside({ entry: { path } }: PlannedEntry): void {
  if (NOT_INSIDE.test(path)) {
    throw new Error(`layer: "${path}" is not a path within the image`)
  }
}
