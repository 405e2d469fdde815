import { accessSync, constants, lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { messageOf } from '../errors.ts'
import { isExcluded, matchExclusion, type Exclusion, type Matched } from './exclude.ts'
import { sortBytewise } from './order.ts'

/** A file as the system describes it; its content is not read. */
export interface WalkedFile {
  /** On disk. */
  readonly path: string
  /** Relative to the source, with `/`; empty for a source that is a file itself. */
  readonly relative: string
  readonly type: 'file' | 'directory' | 'symlink'
  readonly size: number
  readonly mtimeMs: number
  readonly ctimeMs: number
  readonly ino: number
  readonly dev: number
  readonly mode: number
  readonly nlink: number
  /** Of a symlink, word for word. */
  readonly linkTarget: string | undefined
  /** Equal for names of one file; undefined for a file with one name. */
  readonly inode: string | undefined
}

interface Scan {
  readonly exclusion: Exclusion
  readonly files: WalkedFile[]
  readonly says: string[]
  excluded: boolean
}

/**
 * Everything below a directory, bytewise by relative path.
 *
 * @param root its real path
 * @param stats what is there
 * @param says gets what is wrong
 */
export function scanDirectory(
  root: string,
  stats: Stats,
  exclusion: Exclusion,
  says: string[],
): { readonly files: readonly WalkedFile[]; readonly excluded: boolean } {
  const scan: Scan = { exclusion, files: [], says, excluded: false }
  scanInto(root === '/' ? '' : root, stats, '', [], scan)
  return { files: sortBytewise(scan.files, file => file.relative), excluded: scan.excluded }
}

function scanInto(path: string, found: Stats, prefix: string, parent: Matched, scan: Scan): void {
  const { exclusion, files, says } = scan
  for (const name of namesIn(path, found, says)) {
    const child = `${path}/${name}`
    const relative = prefix + name
    const matched = exclusion.patterns.length === 0 ? parent : matchExclusion(exclusion, relative, parent)
    const excluded = isExcluded(exclusion, matched)
    if (excluded) scan.excluded = true
    if (excluded && !exclusion.readmits) continue
    const stats = lstatOf(child, says)
    if (!stats) continue
    if (!stats.isDirectory()) {
      const file = excluded ? undefined : walkedFile(child, relative, stats, says)
      if (file) files.push(file)
      continue
    }
    const before = files.length
    scanInto(child, stats, `${relative}/`, matched, scan)
    // An excluded directory is there only for what came back in below it.
    const directory = excluded && files.length === before ? undefined : walkedFile(child, relative, stats, says)
    if (directory) files.push(directory)
  }
}

function namesIn(path: string, { dev, ino }: Stats, says: string[]): readonly string[] {
  try {
    const names = readdirSync(`${path}/`)
    const now = lstatSync(path === '' ? '/' : path)
    if (now.ino === ino && now.dev === dev) return names
    says.push(`the directory ${path} was replaced while it was read`) // by a symlink, for one
    return []
  } catch (error) {
    says.push(`cannot read the directory ${path === '' ? '/' : path} (${messageOf(error)})`)
    return []
  }
}

function lstatOf(path: string, says: string[]): Stats | undefined {
  try {
    return lstatSync(path)
  } catch (error) {
    const broken = path.includes('\ufffd') ? 'its name is not valid UTF-8' : messageOf(error)
    says.push(`cannot look at ${path} (${broken})`)
    return undefined
  }
}

/**
 * Checks that a layer can hold the file, and says why not.
 *
 * @param name what it is called in the layer, if not as on disk
 */
export function walkedFile(
  path: string,
  relative: string,
  stats: Stats,
  says: string[],
  name: string = path.slice(path.lastIndexOf('/') + 1),
): WalkedFile | undefined {
  const type = typeOf(stats)
  if (type === undefined) {
    says.push(`${path} is a socket, a pipe or a device; only files, directories and symlinks can be copied`)
    return undefined
  }
  if (name.startsWith('.wh.')) {
    says.push(`${path}: names that begin with ".wh." stand for deletions in a layer; rename or exclude it`)
    return undefined
  }
  if (type === 'file' && !isReadable(path, stats)) {
    says.push(`${path} cannot be read: no permission`)
    return undefined
  }
  const { size, mtimeMs, ctimeMs, ino, dev, mode, nlink } = stats
  const linkTarget = type === 'symlink' ? linkTargetOf(path, says) : undefined
  const inode = type === 'file' && nlink > 1 ? inodeOf(path, stats) : undefined
  return { path, relative, type, size, mtimeMs, ctimeMs, ino, dev, mode, nlink, linkTarget, inode }
}

function typeOf(stats: Stats): WalkedFile['type'] | undefined {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  return stats.isSymbolicLink() ? 'symlink' : undefined
}

function linkTargetOf(path: string, says: string[]): string {
  try {
    const target = readlinkSync(path)
    if (target.includes('\ufffd')) says.push(`${path} points at a name that is not valid UTF-8`)
    return process.platform === 'win32' ? target.replaceAll('\\', '/') : target
  } catch (error) {
    says.push(`cannot read the link ${path} (${messageOf(error)})`)
    return '?'
  }
}

/** Numbers of inodes above 2^53 (overlayfs has them) are not told apart by a double. */
function inodeOf(path: string, { dev, ino }: Stats): string | undefined {
  if (process.platform === 'win32') return undefined
  return Number.isSafeInteger(ino) ? `${dev}:${ino}` : `${dev}:${lstatSync(path, { bigint: true }).ino}`
}

const uid = process.geteuid?.()
const groups = new Set(process.getgroups?.())

/** Decides by the mode, which costs nothing; only a no is asked of the system, since an access list may say yes. */
function isReadable(path: string, stats: Stats): boolean {
  if (uid === undefined || uid === 0) return true
  const bit = stats.uid === uid ? 0o400 : groups.has(stats.gid) ? 0o040 : 0o004
  if (stats.mode & bit) return true
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
