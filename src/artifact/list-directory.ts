import { lstat, readdir, readlink, realpath } from 'node:fs/promises'
import { isAbsolute, join, posix, relative, resolve, sep } from 'node:path'
import type { Abortable } from '../async/abortable.ts'
import { messageOf } from '../errors.ts'
import type { FileIdentity } from '../files/regular-file.ts'

interface EntryPlace {
  /** `/`-separated, from the directory that is listed. */
  readonly path: string
  /** On disk. */
  readonly absolutePath: string
}

/** Something in a directory, with as much of its mode as others get to see. */
export type DirectoryEntry =
  | (EntryPlace & { readonly type: 'directory' })
  | (EntryPlace & {
      readonly type: 'file'
      readonly size: number
      readonly isExecutable: boolean
      readonly found: FileIdentity
    })
  | (EntryPlace & { readonly type: 'symlink'; readonly linkPath: string })

export interface DirectoryListing {
  /** In the order of names, a directory before what is in it. */
  readonly entries: readonly DirectoryEntry[]
  /** What no artifact can hold, in words. */
  readonly problems: readonly string[]
}

/**
 * Lists all that is in a directory. Links are listed as they are, and are a problem when they lead out of it: who pulls
 * the artifact would have a link to nowhere, or to something else.
 *
 * @param root its real path
 */
export async function listDirectory(root: string, { signal }: Abortable = {}): Promise<DirectoryListing> {
  const entries: DirectoryEntry[] = []
  const problems: string[] = []
  const realRoot = await realpath(root).catch(() => root)

  async function walk(folder: string, prefix: string, { dev, ino }: FileIdentity): Promise<void> {
    signal?.throwIfAborted()
    const names = (await readdir(folder)).sort()
    const now = await lstat(folder)
    if (now.ino !== ino || now.dev !== dev) throw new Error('it was replaced while it was read') // by a symlink, for one
    for (const name of names) {
      const [absolutePath, path] = [join(folder, name), `${prefix}${name}`]
      try {
        await add({ absolutePath, path })
      } catch (error) {
        signal?.throwIfAborted()
        problems.push(`${absolutePath} cannot be read: ${messageOf(error)}`)
      }
    }
  }

  async function add(place: EntryPlace): Promise<void> {
    const { absolutePath, path } = place
    const status = await lstat(absolutePath)
    if (status.isDirectory()) {
      entries.push({ ...place, type: 'directory' })
      await walk(absolutePath, `${path}/`, status)
    } else if (status.isFile()) {
      const { dev, ino, size, mode } = status
      entries.push({ ...place, type: 'file', size, isExecutable: (mode & 0o111) !== 0, found: { dev, ino } })
    } else if (status.isSymbolicLink()) {
      const target = await readlink(absolutePath)
      if (await leaves(target, absolutePath)) {
        problems.push(`${absolutePath} points at ${target}, which is not in ${root}; put the file itself there`)
      } else entries.push({ ...place, type: 'symlink', linkPath: target.split(sep).join('/') })
    } else problems.push(`${absolutePath} is neither a file, a directory nor a link`)
  }

  /** By its words, because the same must be true where it is unpacked, and by where other links on its way lead. */
  async function leaves(target: string, at: string): Promise<boolean> {
    if (isAbsolute(target) || posix.isAbsolute(target)) return true
    if (isOutside(resolve(root), resolve(at, '..', target))) return true
    const end = await realpath(at).catch(() => undefined)
    return end !== undefined && isOutside(realRoot, end)
  }

  try {
    await walk(root, '', await lstat(root))
  } catch (error) {
    signal?.throwIfAborted()
    problems.push(`${root} cannot be read: ${messageOf(error)}`)
  }
  return { entries, problems }
}

function isOutside(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)
}
