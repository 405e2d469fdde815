import { lstatSync, type Stats } from 'node:fs'
import { basename, resolve } from 'node:path'
import { messageOf, OciPublishError, type InputProblem } from '../errors.ts'
import { resolveSource, type SourceOptions } from '../files/source-path.ts'
import type { Platform } from '../oci/platform.ts'
import { excludeNothing, isExcluded, matchExclusion, parseExclusion, type Exclusion } from './exclude.ts'
import { isGlob } from './glob.ts'
import { expandGlob } from './glob-walk.ts'
import type { FilesSpec } from './line.ts'
import { sortBytewise } from './order.ts'
import { problemsOf } from './problem.ts'
import { scanDirectory, walkedFile, type WalkedFile } from './scan.ts'

/** One thing that a source names. */
export type Match =
  | {
      readonly kind: 'file'
      /** What it is called where the destination is a directory. */
      readonly name: string
      readonly file: WalkedFile
    }
  | {
      readonly kind: 'directory'
      readonly path: string
      /** Everything in it, bytewise by relative path, so parents before children. */
      readonly files: readonly WalkedFile[]
    }

/** What a line names on disk. */
export interface Walk {
  readonly matches: readonly Match[]
  readonly problems: readonly InputProblem[]
  /** Milliseconds since 1970: what changed on disk before this moment was seen. */
  readonly startedMs: number
}

export interface WalkOptions extends SourceOptions {
  /** Named in problems, for a line that differs between platforms. */
  readonly platform?: Platform | undefined
}

/**
 * Finds the files of a line and what the system says of them; reads none. A source that is a symlink is followed, as far as
 * it stays in the context; one inside a source or found by a pattern is kept. Synchronous: for tens of thousands of files that is several times
 * faster than a promise for each.
 *
 * Everything that is wrong is in `problems`; then `matches` is not to be used.
 */
export function walkLine(spec: FilesSpec, { platform, ...options }: WalkOptions): Walk {
  const startedMs = Date.now()
  const says: string[] = []
  const followLinks = options.followLinks === true || spec.followLinks
  const matches = findMatches(spec, { ...options, followLinks }, says)
  return { matches, problems: problemsOf(spec, says, platform), startedMs }
}

function findMatches(spec: FilesSpec, options: SourceOptions, says: string[]): readonly Match[] {
  const context = resolve(options.context)
  const source = onDisk(spec.src)
  const parsed = parseExclusion(spec.exclude)
  const exclusion = 'invalid' in parsed ? excludeNothing : parsed // the line's parser has told of them
  const trailing = /(?:^|\/)[.]{0,2}$/.test(source)
  const path = lookedUp(source, options, says)
  const named = path === undefined ? 'missing' : statOf(trailing ? `${path}/` : path, lstatSync, says)
  if (named === 'missing' && isGlob(source)) return globMatches(spec, options, exclusion, says)
  if (named === 'missing' && says.length === 0) says.push(`there is no "${spec.src}" in ${context}`)
  if (path === undefined || typeof named === 'string') return []
  const match = matchOf(path, basename(resolve(context, source)), named, exclusion, says)
  if (match === 'excluded' || (match?.kind === 'directory' && match.emptied)) {
    says.push(`exclude leaves nothing of "${spec.src}"`)
    return []
  }
  return match ? [match] : []
}

/** The real path of a source; undefined where there is none, or none that may be read. */
function lookedUp(source: string, options: SourceOptions, says: string[]): string | undefined {
  try {
    const path = resolveSource(source, options)
    return path === undefined ? undefined : posixPath(path)
  } catch (error) {
    if (error instanceof OciPublishError) says.push(`${error.message}; ${error.hint ?? ''}`)
    else tellBroken(posixPath(resolve(options.context, source)), error, says)
    return undefined
  }
}

function globMatches(
  { src }: FilesSpec,
  { context, followLinks }: SourceOptions,
  exclusion: Exclusion,
  says: string[],
): readonly Match[] {
  if (says.length > 0) return []
  const found = expandGlob(onDisk(src), { context: posixPath(resolve(context)), followLinks }, says)
  if (found === undefined) {
    says.push(`"${src}" is not a pattern: a bracket is not closed or nothing follows a "\\"`)
    return []
  }
  const directories = new Set<string>()
  const matches: Match[] = []
  for (const path of sortBytewise(found, path => path)) {
    if (ancestorsOf(path).some(ancestor => directories.has(ancestor))) continue // is there with its directory
    const stats = statOf(path, lstatSync, says)
    if (typeof stats === 'string') continue
    if (stats.isDirectory()) directories.add(path)
    const match = matchOf(path, basename(path), stats, exclusion, says)
    if (match && match !== 'excluded') matches.push(match)
  }
  if (matches.length === 0 && says.length === 0) says.push(`no file matches "${src}" in ${resolve(context)}`)
  return matches
}

type Found = (Match & { readonly emptied?: boolean }) | 'excluded' | undefined

function matchOf(path: string, name: string, stats: Stats, exclusion: Exclusion, says: string[]): Found {
  if (stats.isDirectory()) {
    const { files, excluded } = scanDirectory(path, stats, exclusion, says)
    return { kind: 'directory', path, files, emptied: excluded && files.length === 0 }
  }
  if (isExcluded(exclusion, matchExclusion(exclusion, name, []))) return 'excluded'
  const file = walkedFile(path, '', stats, says, name)
  return file && { kind: 'file', name, file }
}

function statOf(path: string, stat: (path: string) => Stats, says: string[]): Stats | 'missing' | 'broken' {
  try {
    return stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing'
    tellBroken(path, error, says)
    return 'broken'
  }
}

function tellBroken(path: string, error: unknown, says: string[]): void {
  const isFile = (error as NodeJS.ErrnoException).code === 'ENOTDIR'
  says.push(isFile ? `"${path}" is not a directory` : `cannot look at ${path} (${messageOf(error)})`)
}

function ancestorsOf(path: string): readonly string[] {
  const ancestors: string[] = []
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    ancestors.push(path.slice(0, slash))
  }
  return ancestors
}

/** Windows takes both slashes; from here on there is one kind. */
function onDisk(src: string): string {
  return process.platform === 'win32' ? src.replaceAll('\\', '/') : src
}

function posixPath(path: string): string {
  return process.platform === 'win32' ? path.replaceAll('\\', '/') : path
}
