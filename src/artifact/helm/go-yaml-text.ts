import { visit, type Document, type LineCounter } from 'yaml'

/** Characters that go-yaml refuses in a text: control characters except tabs and line breaks. */
const UNREADABLE = /[\0-\x08\v\f\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/u
/** A comment, an empty line or a directive, before the first document. */
const PREAMBLE = /^(?:[ \t]*(?:#.*)?|%.*)$/
const YAML_1_1 = /^%YAML[ \t]+1\.1[ \t]*(?:#.*)?$/
const TAG = /^%TAG[ \t]+(!(?:[\w-]*!)?)[ \t]+[^ \t]+(?:[ \t]+(?:#.*)?)?$/

/**
 * Sentences for what go-yaml, and so helm, cannot read at all, each with its line in front.
 *
 * @param directives whether those that go-yaml knows may stand before the document
 */
export function unreadableIn(text: string, { directives }: { readonly directives: boolean }): readonly string[] {
  const found = UNREADABLE.exec(text)
  if (found) {
    const line = text.slice(0, found.index).split('\n').length
    const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    return [`${line}: the character U+${code} is not allowed in YAML`]
  }
  const seen = new Set<string>()
  for (const [i, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    if (/^\.\.\.(?:[ \t]|$)/.test(line)) return [`${i + 1}: "..." ends a document before there is one`]
    if (!PREAMBLE.test(line)) return []
    if (!line.startsWith('%')) continue
    const key = YAML_1_1.test(line) ? '%YAML' : TAG.exec(line)?.[1]
    if (!directives || key === undefined || seen.has(key)) return [`${i + 1}: helm cannot read the directive ${line}`]
    seen.add(key)
  }
  return []
}

/** Line breaks of YAML 1.1, which go-yaml reads, that are none of YAML 1.2. */
const OTHER_BREAK = /\r(?!\n)|[\x85\u2028\u2029]/g

/**
 * Sentences for line breaks that nobody sees: what comes after them is another line for helm, and the end of a text or of a
 * comment for everybody else. Within quotes they do no harm.
 */
export function strayBreaks(text: string, documents: readonly Document[], lines: LineCounter): readonly string[] {
  const breaks = [...text.matchAll(OTHER_BREAK)]
  if (breaks.length === 0) return []
  const quoted: (readonly [number, number])[] = []
  for (const document of documents) {
    visit(document, {
      Scalar(_key, { type, range }) {
        if (range && (type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE')) quoted.push([range[0], range[1]])
      },
    })
  }
  const stray = breaks.find(({ index }) => !quoted.some(([start, end]) => start < index && index < end))
  if (!stray) return []
  const code = (stray[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return [`${lines.linePos(stray.index).line}: U+${code} is a line break for helm: write \\n, or put it in quotes`]
}

/** The first escape of a text in double quotes that go-yaml refuses: `\/`, and halves of characters. */
export function unknownEscape(quoted: string): string | undefined {
  for (const [escape, short, long] of quoted.matchAll(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|[^])/g)) {
    const code = parseInt(short ?? long ?? '', 16)
    if (escape === '\\/' || (code >= 0xd800 && code <= 0xdfff)) return escape
  }
  return undefined
}
