export type Stanza = ReadonlyMap<string, string>

/**
 * Reads paragraphs of `Key: value` lines, as dpkg and Python's metadata have them. Keys are in small letters; of a key
 * that comes twice the first stands; lines that begin with a blank go on with the value before them.
 */
export function* parseStanzas(text: string): Generator<Stanza> {
  let stanza = new Map<string, string>()
  let last: string | undefined
  for (const line of text.split('\n')) {
    const end = line.endsWith('\r') ? -1 : line.length
    const content = line.slice(0, end)
    if (content.trim() === '') {
      if (stanza.size > 0) yield stanza
      stanza = new Map()
      last = undefined
    } else if (/^[ \t]/.test(content)) {
      if (last !== undefined) stanza.set(last, `${stanza.get(last) ?? ''}\n${content.slice(1)}`)
    } else {
      const colon = content.indexOf(':')
      const key = content.slice(0, Math.max(0, colon)).toLowerCase()
      last = colon > 0 && !stanza.has(key) ? key : undefined
      if (last !== undefined) stanza.set(last, content.slice(colon + 1).trim())
    }
  }
  if (stanza.size > 0) yield stanza
}
