import type { Stats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Abortable } from '../async/abortable.ts'
import { InputError, messageOf, OciPublishError } from '../errors.ts'
import type { FileIdentity } from '../files/regular-file.ts'
import { resolveSource, type SourceOptions } from '../files/source-path.ts'
import { listDirectory, type DirectoryEntry } from './list-directory.ts'
import { parseFile, type FileSpec } from './parse-file.ts'

/** A file or a directory that is there. */
export interface FoundFile extends FileSpec {
  /** Its real path. */
  readonly absolutePath: string
  readonly found: FileIdentity
  /** Bytes; 0 for a directory. */
  readonly size: number
  readonly isExecutable: boolean
  /** What is in a directory; undefined for a file. */
  readonly entries: readonly DirectoryEntry[] | undefined
}

export interface FoundFiles {
  readonly files: readonly FoundFile[]
  /** In words: what is not there or cannot be read, what is no media type, one title twice. */
  readonly problems: readonly string[]
}

export interface FindFilesOptions extends Abortable, SourceOptions {
  /** Short words for media types. */
  readonly words?: ReadonlyMap<string, string> | undefined
}

/**
 * Reads `PATH[:MEDIA-TYPE]` texts and looks for the files, before any of them is read.
 *
 * @throws {InputError} with everything that is wrong
 */
export async function findFiles(texts: readonly string[], options: SourceOptions): Promise<readonly FoundFile[]> {
  const { files, problems } = await lookForFiles(texts, options)
  if (problems.length > 0) throw new InputError(problems.map(problem => ({ input: 'files', problem })))
  return files
}

/** As `findFiles`, for whoever has more to say than what is wrong here. */
export async function lookForFiles(
  texts: readonly string[],
  { words, signal, ...sources }: FindFilesOptions,
): Promise<FoundFiles> {
  const problems: string[] = []
  const files: FoundFile[] = []
  const titles = new Map<string, string>()
  for (const text of texts) {
    try {
      const file = await findFile(parseFile(text, words), { ...sources, signal }, problems)
      const same = titles.get(file.title)
      titles.set(file.title, text)
      if (same === undefined) files.push(file)
      else problems.push(`"${same}" and "${text}" have one title, ${file.title}`)
    } catch (error) {
      signal?.throwIfAborted()
      problems.push(error instanceof OciPublishError ? `${error.message}; ${error.hint ?? ''}` : messageOf(error))
    }
  }
  return { files, problems }
}

async function findFile(
  spec: FileSpec,
  { signal, ...sources }: FindFilesOptions,
  problems: string[],
): Promise<FoundFile> {
  const { absolutePath, status } = await statusOf(spec.path, sources)
  const title = spec.title === '.' || spec.title === '' ? basename(resolve(sources.context, spec.path)) : spec.title
  const { dev, ino, mode, size } = status
  const found = { ...spec, title, absolutePath, found: { dev, ino }, isExecutable: (mode & 0o111) !== 0 }
  if (status.isFile()) return { ...found, size, entries: undefined }
  if (!status.isDirectory()) throw new Error(`${spec.path} is neither a file nor a directory`)
  const listing = await listDirectory(absolutePath, { signal })
  problems.push(...listing.problems)
  return { ...found, size: 0, entries: listing.entries }
}

async function statusOf(typed: string, sources: SourceOptions): Promise<{ absolutePath: string; status: Stats }> {
  try {
    const absolutePath = resolveSource(typed, sources)
    if (absolutePath !== undefined) return { absolutePath, status: await lstat(absolutePath) }
  } catch (error) {
    if (error instanceof OciPublishError) throw error
    throw new Error(`${typed} cannot be read: ${messageOf(error)}`, { cause: error })
  }
  throw new Error(`${typed} is not there`)
}
