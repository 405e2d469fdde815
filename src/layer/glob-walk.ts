import { lstatSync, readdirSync, statSync, type Stats } from 'node:fs'
import { messageOf } from '../errors.ts'
import { isGlob, segmentPattern } from './glob.ts'

/**
 * The paths a pattern stands for. Each segment matches names of one directory, names with a leading dot too, as
 * Dockerfiles have it; `**` stands for a directory and all below it, without following symlinks.
 *
 * @param context absolute, with `/`
 * @returns unsorted, each once; undefined when a segment is not a pattern
 */
export function expandGlob(context: string, pattern: string, says: string[]): ReadonlySet<string> | undefined {
  const absolute = /^(?:[A-Za-z]:)?\//.exec(pattern)?.[0] ?? ''
  const segments = pattern
    .slice(absolute.length)
    .split('/')
    .filter(segment => segment !== '' && segment !== '.')
  let found: ReadonlySet<string> = new Set([absolute === '' ? context : absolute.slice(0, -1)])
  for (const [i, segment] of segments.entries()) {
    const last = i === segments.length - 1
    if (segment === '**') {
      // At the end it is the directory itself, whose contents are copied anyway.
      if (!last) found = new Set([...found].flatMap(path => withDirectoriesBelow(path, says)))
      continue
    }
    const matches = isGlob(segment) ? segmentPattern(segment) : undefined
    if (isGlob(segment) && !matches) return undefined
    found = new Set(
      [...found].flatMap(path => {
        if (!matches) return exists(`${path}/${segment}`, last) ? [`${path}/${segment}`] : []
        return namesIn(path, says)
          .filter(name => matches.test(name))
          .map(name => `${path}/${name}`)
      }),
    )
  }
  return pattern.endsWith('/') ? new Set([...found].filter(isDirectory)) : found
}

function withDirectoriesBelow(path: string, says: string[]): readonly string[] {
  if (!isDirectory(path)) return []
  const below = namesIn(path, says)
    .map(name => `${path}/${name}`)
    .filter(child => lstatOf(child)?.isDirectory() === true)
  return [path, ...below.flatMap(child => withDirectoriesBelow(child, says))]
}

function namesIn(path: string, says: string[]): readonly string[] {
  if (!isDirectory(path)) return []
  try {
    return readdirSync(`${path}/`)
  } catch (error) {
    says.push(`cannot read the directory ${path} (${messageOf(error)})`)
    return []
  }
}

function exists(path: string, last: boolean): boolean {
  return last ? lstatOf(path) !== undefined : isDirectory(path)
}

function lstatOf(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch {
    return undefined
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path === '' ? '/' : path).isDirectory()
  } catch {
    return false
  }
}
