/** A text of several lines as one, for a message. What else it holds is made harmless at the edges, after secrets are hidden. */
export function oneLine(text: string): string {
  return text.replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' ').trim()
}
