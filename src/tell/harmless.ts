/**
 * What steers a terminal or hides in a text: control characters (C0, DEL, C1), format characters (bidirectional controls,
 * zero-width characters, byte order marks, tags), line and paragraph separators, lone surrogates, and letters without a look.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0]/gu

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** A character as JSON may write it: `\u001b`. */
function escaped(char: string): string {
  return Array.from({ length: char.length }, (_, i) => unit(char.charCodeAt(i))).join('')
}

function unit(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`
}

/**
 * Text from anywhere (a registry's words, a file's name) as one line that does nothing but stand there: what could steer a
 * terminal is shown escaped, and what a CI system would obey as a command is broken by a backslash. GitHub's runner obeys
 * `::name::` at the start of a line and `##[name]` anywhere, Azure's `##vso[…]`. Harmless lines stay as they are.
 */
export function harmless(line: string): string {
  return line
    .replace(UNSAFE, char => SHORT[char] ?? escaped(char))
    .replace(/^(\s*)::/, '$1\\::')
    .replace(/##(\w*)\[/g, '##$1\\[')
}

/** JSON text with the same meaning and without what could steer a terminal or a CI system; newlines between values stay. */
export function harmlessJson(value: unknown, indent = 2): string {
  return harmlessDocument(JSON.stringify(value, null, indent)).replace(/##(\w*)\[/g, '##$1\\u005b')
}

/** A document for a terminal: its lines stay lines, its bytes do not all stay what they are. */
export function harmlessDocument(text: string): string {
  return text.replace(UNSAFE, char => (char === '\n' ? char : escaped(char)))
}
