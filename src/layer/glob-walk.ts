import { lstatSync, readdirSync, realpathSync, statSync, type Stats } from 'node:fs'
import { messageOf } from '../errors.ts'
import { boundaryOf, isInside, leavingSource, type SourceOptions } from '../files/source-path.ts'
import { isGlob, segmentPattern } from './glob.ts'

/**
 * The paths a pattern stands for. Each segment matches names of one directory, names with a leading dot too, as
 * Dockerfiles have it; `**` stands for a directory and all below it, without following symlinks. A directory that is a
 * symlink is entered where the pattern asks for it, as far as it stays in the context.
 *
 * @param context absolute, with `/`
 * @returns unsorted, each once; undefined when a segment is not a pattern
 */
export function expandGlob(
  pattern: string,
  { context, followLinks }: SourceOptions,
  says: string[],
): ReadonlySet<string> | undefined {
  const absolute = /^(?:[A-Za-z]:)?\//.exec(pattern)?.[0] ?? ''
  const segments = pattern
    .slice(absolute.length)
    .split('/')
    .filter(segment => segment !== '' && segment !== '.')
  const wild = segments.findIndex(isGlob)
  const named = absolute + segments.slice(0, Math.max(wild, 0)).join('/')
  const place = new Place(pattern, followLinks === true ? undefined : boundaryOf(named, context), says)
  let found: ReadonlySet<string> = new Set([absolute === '' ? context : absolute.slice(0, -1)])
  for (const [i, segment] of segments.entries()) {
    const last = i === segments.length - 1
    if (segment === '**') {
      // At the end it is the directory itself, whose contents are copied anyway.
      if (!last) found = new Set([...found].flatMap(path => withDirectoriesBelow(path, place)))
      continue
    }
    const matches = isGlob(segment) ? segmentPattern(segment) : undefined
    if (isGlob(segment) && !matches) return undefined
    found = new Set(
      [...found].flatMap(path => {
        if (!matches) return exists(path, segment, last, place) ? [`${path}/${segment}`] : []
        return namesIn(path, place)
          .filter(name => matches.test(name))
          .map(name => `${path}/${name}`)
      }),
    )
  }
  return pattern.endsWith('/') ? new Set([...found].filter(path => place.isDirectory(path))) : found
}

function withDirectoriesBelow(path: string, place: Place): readonly string[] {
  if (!place.isDirectory(path)) return []
  const below = namesIn(path, place)
    .map(name => `${path}/${name}`)
    .filter(child => lstatOf(child)?.isDirectory() === true)
  return [path, ...below.flatMap(child => withDirectoriesBelow(child, place))]
}

function namesIn(path: string, place: Place): readonly string[] {
  if (!place.isDirectory(path)) return []
  try {
    return readdirSync(`${path}/`)
  } catch (error) {
    place.says.push(`cannot read the directory ${path} (${messageOf(error)})`)
    return []
  }
}

/** Looks for the name before it asks whether the directory may be looked into: most have no such name. */
function exists(directory: string, name: string, last: boolean, place: Place): boolean {
  const path = `${directory}/${name}`
  if (!lstatOf(path) || !place.isDirectory(directory)) return false
  return last && name !== '..' ? true : place.isDirectory(path)
}

/** Where a pattern may look. */
class Place {
  readonly says: string[]
  readonly #pattern: string
  readonly #boundary: string | undefined
  /** Told already, or asked for again by the next segment. */
  readonly #known = new Map<string, boolean>()

  constructor(pattern: string, boundary: string | undefined, says: string[]) {
    this.#pattern = pattern
    this.#boundary = boundary
    this.says = says
  }

  isDirectory(path: string): boolean {
    const known = this.#known.get(path)
    if (known !== undefined) return known
    const is = statOf(path)?.isDirectory() === true && this.#isWithin(path)
    this.#known.set(path, is)
    return is
  }

  #isWithin(path: string): boolean {
    if (this.#boundary === undefined) return true
    // Where it comes from is within; only a symlink and the way back from one lead elsewhere.
    if (!path.endsWith('/..') && lstatOf(path)?.isSymbolicLink() !== true) return true
    const real = realpathSync.native(path === '' ? '/' : path)
    if (isInside(real, this.#boundary)) return true
    const { message, hint = '' } = leavingSource(this.#pattern, real, this.#boundary)
    this.says.push(`${message}; ${hint}`)
    return false
  }
}

function lstatOf(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch {
    return undefined
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path === '' ? '/' : path)
  } catch {
    return undefined
  }
}
