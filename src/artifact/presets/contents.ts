import { inFolder } from '../archive-blob.ts'
import type { FoundFile } from '../find-files.ts'
import type { DirectoryEntry } from '../list-directory.ts'

/**
 * What an archive of some files has in it: of one directory its content, of several files and directories each by its
 * title. In the order of paths, so a directory before what is in it.
 */
export function contentsOf(files: readonly FoundFile[]): readonly DirectoryEntry[] {
  const [first] = files
  const all = files.length === 1 && first?.entries ? first.entries : files.flatMap(entriesOf)
  const byPath = new Map(all.map(entry => [entry.path, entry]))
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

function entriesOf({ title, absolutePath, found, size, isExecutable, entries }: FoundFile): readonly DirectoryEntry[] {
  if (entries) return inFolder(entries, title)
  const slash = title.lastIndexOf('/')
  const file = { type: 'file', path: title.slice(slash + 1), absolutePath, found, size, isExecutable } as const
  return slash < 0 ? [file] : inFolder([file], title.slice(0, slash))
}
