import { linesOf } from './lines.ts'

export type Stanza = ReadonlyMap<string, string>

/**
 * Reads paragraphs of `Key: value` lines, as dpkg and Python's metadata have them. Keys are in small letters; of a key
 * that comes twice the first stands; of a value that goes on in lines that begin with a blank only the first such line
 * is kept: it tells that there are some.
 *
 * @param keys all others are passed over: files of hostile images consist of them
 */
export function* parseStanzas(bytes: Uint8Array, keys: ReadonlySet<string>): Generator<Stanza> {
  let stanza = new Map<string, string>()
  let isOpen = false
  let last: string | undefined
  for (const content of linesOf(bytes)) {
    if (content.trim() === '') {
      if (isOpen) yield stanza
      if (stanza.size > 0) stanza = new Map()
      isOpen = false
      last = undefined
      continue
    }
    isOpen = true
    if (/^[ \t]/.test(content)) {
      if (last !== undefined) stanza.set(last, `${stanza.get(last) ?? ''}\n${content.slice(1)}`)
      last = undefined
    } else {
      const colon = content.indexOf(':')
      const key = content.slice(0, Math.max(0, colon)).toLowerCase()
      last = colon > 0 && keys.has(key) && !stanza.has(key) ? key : undefined
      if (last !== undefined) stanza.set(last, content.slice(colon + 1).trim())
    }
  }
  if (isOpen) yield stanza
}
