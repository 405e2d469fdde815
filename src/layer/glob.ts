const META = /[*?[]/

/** Whether a source names files by a pattern rather than itself. */
export function isGlob(path: string): boolean {
  return META.test(path)
}

/**
 * One segment of a pattern, as Go's filepath.Match reads it: `*` any characters, `?` one, `[a-z]` and `[^a-z]` one of a
 * class, `\` takes the next as it is.
 *
 * @returns undefined when a class or an escape is not finished
 */
export function segmentPattern(segment: string): RegExp | undefined {
  return regexp(segmentSource(segment))
}

/**
 * A whole relative path, segments as above; `**` stands for any number of directories, none included, and at the end for
 * everything below.
 *
 * @returns undefined when a segment is not a pattern
 */
export function pathPattern(pattern: string): RegExp | undefined {
  const segments = pattern.split('/').filter((segment, i, all) => segment !== '**' || all[i - 1] !== '**')
  const sources = segments.map((segment, i) => {
    const last = i === segments.length - 1
    if (segment === '**') return last ? '.+' : '(?:[^/]+/)*'
    const source = segmentSource(segment)
    return last || source === undefined ? source : `${source}/`
  })
  return regexp(sources.includes(undefined) ? undefined : sources.join(''))
}

function segmentSource(segment: string): string | undefined {
  const chars = Array.from(segment)
  let source = ''
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? ''
    if (char === '*') source += '[^/]*'
    else if (char === '?') source += '[^/]'
    else if (char === '[') {
      const end = classEnd(chars, i)
      if (end === undefined) return undefined
      source += classSource(chars.slice(i + 1, end))
      i = end
    } else if (char !== '\\') source += literal(char)
    else if (++i === chars.length) return undefined
    else source += literal(chars[i] ?? '')
  }
  return source
}

/** Where the bracket that opens at `start` closes; an empty class is none. */
function classEnd(chars: readonly string[], start: number): number | undefined {
  const first = chars[start + 1] === '^' ? start + 2 : start + 1
  for (let i = first; i < chars.length; i++) {
    if (chars[i] === '\\') i++
    else if (chars[i] === ']') return i > first ? i : undefined
  }
  return undefined
}

function classSource(members: readonly string[]): string {
  const negated = members[0] === '^'
  let source = ''
  for (let i = negated ? 1 : 0; i < members.length; i++) {
    const char = members[i] ?? ''
    if (char === '\\') source += literalInClass(members[++i] ?? '')
    else source += char === '-' ? '-' : literalInClass(char)
  }
  return `(?!/)[${negated ? '^' : ''}${source}]`
}

function literal(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char
}

function literalInClass(char: string): string {
  return /[\\^[\]-]/.test(char) ? `\\${char}` : char
}

function regexp(source: string | undefined): RegExp | undefined {
  if (source === undefined) return undefined
  try {
    return new RegExp(`^${source}$`, 'su')
  } catch {
    return undefined // a range that runs backwards
  }
}
