import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Abortable } from '../async/abortable.ts'
import { InputError, messageOf } from '../errors.ts'
import { listDirectory, type DirectoryEntry } from './list-directory.ts'
import { parseFile, type FileSpec } from './parse-file.ts'

/** A file or a directory that is there. */
export interface FoundFile extends FileSpec {
  readonly absolutePath: string
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

export interface FindFilesOptions extends Abortable {
  /** Directory that paths are relative to. */
  readonly context: string
  /** Short words for media types. */
  readonly words?: ReadonlyMap<string, string> | undefined
}

/**
 * Reads `PATH[:MEDIA-TYPE]` texts and looks for the files, before any of them is read.
 *
 * @throws {InputError} with everything that is wrong
 */
export async function findFiles(texts: readonly string[], context: string): Promise<readonly FoundFile[]> {
  const { files, problems } = await lookForFiles(texts, { context })
  if (problems.length > 0) throw new InputError(problems.map(problem => ({ input: 'files', problem })))
  return files
}

/** As `findFiles`, for whoever has more to say than what is wrong here. */
export async function lookForFiles(
  texts: readonly string[],
  { context, words, signal }: FindFilesOptions,
): Promise<FoundFiles> {
  const problems: string[] = []
  const files: FoundFile[] = []
  const titles = new Map<string, string>()
  for (const text of texts) {
    try {
      const file = await findFile(parseFile(text, words), { context, signal }, problems)
      const same = titles.get(file.title)
      titles.set(file.title, text)
      if (same === undefined) files.push(file)
      else problems.push(`"${same}" and "${text}" have one title, ${file.title}`)
    } catch (error) {
      signal?.throwIfAborted()
      problems.push(messageOf(error))
    }
  }
  return { files, problems }
}

async function findFile(spec: FileSpec, { context, signal }: FindFilesOptions, problems: string[]): Promise<FoundFile> {
  const absolutePath = resolve(context, spec.path)
  const status = await statusOf(absolutePath, spec.path)
  const title = spec.title === '.' || spec.title === '' ? basename(absolutePath) : spec.title
  const found = { ...spec, title, absolutePath, isExecutable: (status.mode & 0o111) !== 0 }
  if (status.isFile()) return { ...found, size: status.size, entries: undefined }
  if (!status.isDirectory()) throw new Error(`${spec.path} is neither a file nor a directory`)
  const listing = await listDirectory(absolutePath, { signal })
  problems.push(...listing.problems)
  return { ...found, size: 0, entries: listing.entries }
}

async function statusOf(path: string, typed: string): Promise<Stats> {
  try {
    return await stat(path)
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new Error(isAbsent ? `${typed} is not there` : `${typed} cannot be read: ${messageOf(error)}`, {
      cause: error,
    })
  }
}
