import { pathPattern } from './glob.ts'

interface Pattern {
  readonly matches: RegExp
  readonly negated: boolean
}

/** Which files of a source stay out. A value; `excludeNothing` is the empty one. */
export interface Exclusion {
  readonly patterns: readonly Pattern[]
  /** Whether something below an excluded directory may come back in, so that it has to be looked into all the same. */
  readonly readmits: boolean
}

/** What is known of a directory by its own path: for each pattern whether it, or a directory above, matched. */
export type Matched = readonly boolean[]

export const excludeNothing: Exclusion = { patterns: [], readmits: false }

/**
 * Reads patterns as .dockerignore has them: the last that matches decides, `!` lets in again, `**` is any number of
 * directories, and what matches a directory matches everything below it. Paths are relative to the source.
 *
 * @returns the patterns that are none, where there are any
 */
export function parseExclusion(lines: readonly string[]): Exclusion | { readonly invalid: readonly string[] } {
  const parsed = lines.map(parsePattern)
  const patterns = parsed.filter(one => one !== undefined)
  if (patterns.length === lines.length) return { patterns, readmits: patterns.some(({ negated }) => negated) }
  return { invalid: lines.filter((_, i) => parsed[i] === undefined) }
}

function parsePattern(line: string): Pattern | undefined {
  const negated = line.startsWith('!')
  const segments = line
    .slice(negated ? 1 : 0)
    .trim()
    .split('/')
    .filter(segment => segment !== '' && segment !== '.')
  if (segments.length === 0 || segments.includes('..')) return undefined
  const matches = pathPattern(segments.join('/'))
  return matches && { matches, negated }
}

/** What the patterns say of a path; `parent` is what they said of its directory. */
export function matchExclusion({ patterns }: Exclusion, path: string, parent: Matched): Matched {
  return patterns.map(({ matches }, i) => parent[i] === true || matches.test(path))
}

/** Whether what matched leaves the path out. */
export function isExcluded({ patterns }: Exclusion, matched: Matched): boolean {
  for (let i = patterns.length - 1; i >= 0; i--) {
    const pattern = patterns[i]
    if (pattern && matched[i] === true) return !pattern.negated
  }
  return false
}
