/** A pattern of Go's filepath.Match (as on Linux), ready to be held against paths. */
export type GoPattern = readonly Part[]

type Part =
  | { readonly kind: 'literal'; readonly char: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'star' }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly Range[] }

type Range = readonly [first: number, last: number]

/**
 * Reads a pattern: `*` and `?` stop at `/`, `[a-z]` and `[^a-z]` do not, `\` takes the next character as it is. There is
 * no `**`, no `{a,b}`, and names that begin with a dot are like all others.
 *
 * @returns undefined for what Go calls a syntax error in pattern
 */
export function parseGoPattern(text: string): GoPattern | undefined {
  const chars = Array.from(text)
  const parts: Part[] = []
  let at = 0

  /** One character of a class, perhaps after a backslash. Something has to follow it. */
  function classChar(): number | undefined {
    if (chars[at] === '-' || chars[at] === ']') return undefined
    if (chars[at] === '\\') at++
    const code = chars[at++]?.codePointAt(0)
    return at < chars.length ? code : undefined
  }

  function classPart(): Part | undefined {
    const negated = chars[at] === '^'
    if (negated) at++
    const ranges: Range[] = []
    while (chars[at] !== ']' || ranges.length === 0) {
      const first = classChar()
      if (first === undefined) return undefined
      let last: number | undefined = first
      if (chars[at] === '-') {
        at++
        last = classChar()
        if (last === undefined) return undefined
      }
      ranges.push([first, last])
    }
    at++
    return { kind: 'class', negated, ranges }
  }

  while (at < chars.length) {
    const char = chars[at++] ?? ''
    if (char === '*') parts.push({ kind: 'star' })
    else if (char === '?') parts.push({ kind: 'any' })
    else if (char === '[') {
      const part = classPart()
      if (!part) return undefined
      parts.push(part)
    } else if (char === '\\') {
      const escaped = chars[at++]
      if (escaped === undefined) return undefined
      parts.push({ kind: 'literal', char: escaped })
    } else parts.push({ kind: 'literal', char })
  }
  return parts
}

/** Whether the whole path is as the pattern says. */
export function matchesGoPattern(pattern: GoPattern, path: string): boolean {
  const chars = Array.from(path)
  // To try again with one character more for a star, only the last star has to be known.
  let star = -1
  let starEnd = 0
  let at = 0
  let part = 0
  while (at < chars.length || part < pattern.length) {
    const wanted = pattern[part]
    const char = chars[at]
    if (wanted?.kind === 'star') {
      star = part++
      starEnd = at
    } else if (wanted && char !== undefined && matchesOne(wanted, char)) {
      part++
      at++
    } else {
      const taken = chars[starEnd]
      if (star < 0 || taken === undefined || taken === '/') return false
      at = ++starEnd
      part = star + 1
    }
  }
  return true
}

function matchesOne(part: Exclude<Part, { kind: 'star' }>, char: string): boolean {
  switch (part.kind) {
    case 'literal':
      return part.char === char
    case 'any':
      return char !== '/'
    case 'class': {
      const code = char.codePointAt(0) ?? 0
      return part.ranges.some(([first, last]) => first <= code && code <= last) !== part.negated
    }
  }
}
