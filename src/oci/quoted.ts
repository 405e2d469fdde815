const MAX_SHOWN = 64

/**
 * Text from outside for a message: in quotes, cut, and in printable ASCII, so that it can neither steer a terminal or a
 * runner nor look like something else.
 */
export function quoted(text: string): string {
  const shown = text.length > MAX_SHOWN ? text.slice(0, MAX_SHOWN) : text
  const harmless = shown.replace(/["\\]|[^ -~]/gu, one =>
    one === '"' || one === '\\' ? `\\${one}` : `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`,
  )
  return `"${harmless}"${shown === text ? '' : `… (${text.length} characters)`}`
}
