/** Code points that HFS+ leaves out when it compares names. */
const IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g

/**
 * Whether a file system may take a name for `.git`: in any case, with what HFS+ ignores in it, by the short name that NTFS
 * gives it, with dots and spaces that Windows drops, or as a stream of it. A file in such a folder is a hook, or a
 * configuration that names a program, and runs with the next command of git's.
 *
 * @see git's path.c, `is_ntfs_dotgit`, and utf8.c, `is_hfs_dotgit`
 */
export function isDotGit(part: string): boolean {
  const name = part.replace(IGNORED, '').toLowerCase()
  return /^(?:\.git|git~1)[. ]*(?::.*)?$/.test(name)
}
