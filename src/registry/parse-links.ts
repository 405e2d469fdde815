/** One link of a `Link` header. */
export interface Link {
  /** As sent: relative or absolute. */
  readonly target: string
  /** Of its first `rel`, in lower case. */
  readonly relations: readonly string[]
}

/**
 * Reads a `Link` header (RFC 8288, 3). What cannot be read ends it. Every character is looked at once: a registry can
 * send 64 KiB of anything.
 */
export function parseLinks(header: string): readonly Link[] {
  const links: Link[] = []
  let at = 0

  const skip = (these: string): void => {
    while (at < header.length && these.includes(header.charAt(at))) at++
  }
  const until = (those: string): string => {
    const from = at
    while (at < header.length && !those.includes(header.charAt(at))) at++
    return header.slice(from, at)
  }
  /** From behind the opening quote to behind the closing one; undefined where there is none. */
  const quotedText = (): string | undefined => {
    const parts: string[] = []
    while (at < header.length) {
      const one = header.charAt(at++)
      if (one === '"') return parts.join('')
      parts.push(one === '\\' ? header.charAt(at++) : one)
    }
    return undefined
  }

  for (;;) {
    skip(' \t,')
    if (header.charAt(at) !== '<') return links
    at++
    const target = until('>')
    if (at >= header.length) return links
    at++
    let relations: readonly string[] | undefined
    for (;;) {
      skip(' \t')
      if (header.charAt(at) !== ';') break
      at++
      skip(' \t')
      const name = until('=;, \t').toLowerCase()
      skip(' \t')
      if (header.charAt(at) !== '=') continue
      at++
      skip(' \t')
      const isQuoted = header.charAt(at) === '"'
      if (isQuoted) at++
      const value = isQuoted ? quotedText() : until(';, \t')
      if (value === undefined) return links
      if (name === 'rel') relations ??= value.toLowerCase().split(/\s+/)
    }
    links.push({ target, relations: relations ?? [] })
    if (at < header.length && header.charAt(at) !== ',') return links
  }
}
