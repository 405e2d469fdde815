/** Elements of a page whose content nobody reads. */
const UNREAD = ['script', 'style', 'head']

/**
 * What a page for people says: without tags, scripts and styles, and of its head the title only. Every character is looked
 * at once: whoever answers in the place of a registry can send anything.
 */
export function pageText(html: string): string {
  // Of the same length, which toLowerCase() does not promise.
  const lower = html.replace(/[A-Z]+/g, some => some.toLowerCase())
  const parts: string[] = []
  let at = 0
  while (at < html.length) {
    const open = html.indexOf('<', at)
    if (open < 0) break
    parts.push(html.slice(at, open), ' ')
    const unread = UNREAD.find(
      name => lower.startsWith(name, open + 1) && !isWord(lower.charAt(open + 1 + name.length)),
    )
    const end = unread === undefined ? html.indexOf('>', open) : lower.indexOf(`</${unread}`, open)
    if (unread === 'head') parts.push(titleOf(html.slice(open, end < 0 ? undefined : end)), ' ')
    // What is not closed is no text, however much of it there is.
    if (end < 0) return parts.join('')
    const close = unread === undefined ? end : html.indexOf('>', end)
    if (close < 0) return parts.join('')
    at = close + 1
  }
  return parts.join('') + html.slice(at)
}

function isWord(character: string): boolean {
  return /^\w$/.test(character)
}

function titleOf(head: string): string {
  const title = head.search(/<title/i)
  const from = title < 0 ? -1 : head.indexOf('>', title)
  const until = from < 0 ? -1 : head.indexOf('<', from)
  return until < 0 ? '' : head.slice(from + 1, until)
}
