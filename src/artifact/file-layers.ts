import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Abortable } from '../async/abortable.ts'
import { describedAs, type Blob } from '../content/blob.ts'
import { InputError, messageOf, type InputProblem } from '../errors.ts'
import { TITLE } from './artifact.ts'
import { blobOfDirectory } from './directory-blob.ts'
import { blobOfFile } from './file-blob.ts'
import { parseFile, type FileSpec } from './parse-file.ts'

const FILE_TYPE = 'application/octet-stream'
const DIRECTORY_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip'

/** Keys by which `oras pull` knows a directory, and checks what it unpacked. */
export const UNPACK = 'io.deis.oras.content.unpack'
export const CONTENT_DIGEST = 'io.deis.oras.content.digest'

export interface FileLayersOptions extends Abortable {
  /** Directory that paths are relative to. */
  readonly context: string
  readonly tempDir: string
  /** Media type of files for which none is given. */
  readonly typeOf?: ((spec: FileSpec) => string | undefined) | undefined
}

/** A file or a directory that is there. */
export interface FoundFile extends FileSpec {
  readonly absolutePath: string
  readonly isDirectory: boolean
  /** Bytes; 0 for a directory. */
  readonly size: number
}

/**
 * Reads and looks for the files of an artifact, before any of them is packed.
 *
 * @throws {InputError} with everything that is wrong: what is not there, what is no media type, one title twice
 */
export async function findFiles(texts: readonly string[], context: string): Promise<readonly FoundFile[]> {
  const problems: InputProblem[] = []
  const found: FoundFile[] = []
  const titles = new Map<string, string>()
  for (const text of texts) {
    try {
      const spec = parseFile(text)
      const absolutePath = resolve(context, spec.path)
      const { title = basename(absolutePath) } = spec.title === '.' ? {} : spec
      const same = titles.get(title)
      if (same !== undefined) throw new Error(`"${same}" and "${text}" have one title, ${title}`)
      titles.set(title, text)
      const status = await statusOf(absolutePath, spec.path)
      const isDirectory = status.isDirectory()
      if (!isDirectory && !status.isFile()) throw new Error(`${spec.path} is neither a file nor a directory`)
      found.push({ ...spec, title, absolutePath, isDirectory, size: isDirectory ? 0 : status.size })
    } catch (error) {
      problems.push({ input: 'files', problem: messageOf(error) })
    }
  }
  if (problems.length > 0) throw new InputError(problems)
  return found
}

async function statusOf(path: string, typed: string): Promise<Stats> {
  try {
    return await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new Error(`${typed} is not there`, { cause: error })
    throw error
  }
}

/** Makes the layers, in order: a file as it is, a directory as a reproducible archive that others unpack. */
export async function fileLayers(
  files: readonly FoundFile[],
  { tempDir, typeOf, signal }: Omit<FileLayersOptions, 'context'>,
): Promise<readonly Blob[]> {
  const layers: Blob[] = []
  for (const file of files) {
    const { absolutePath, title, isDirectory } = file
    const mediaType = file.mediaType ?? typeOf?.(file) ?? (isDirectory ? DIRECTORY_TYPE : FILE_TYPE)
    if (!isDirectory) {
      layers.push(await blobOfFile(absolutePath, { mediaType, annotations: { [TITLE]: title }, signal }))
      continue
    }
    const { blob, contentDigest } = await blobOfDirectory(absolutePath, { mediaType, prefix: title, tempDir, signal })
    const annotations = { [CONTENT_DIGEST]: contentDigest, [UNPACK]: 'true', [TITLE]: title }
    layers.push(describedAs(blob, { ...blob.descriptor, annotations }))
  }
  return layers
}
