/** Without the characters at its end that are this one. A pattern such as `/\/+$/` takes quadratic time for `////…x`. */
export function withoutTrailing(text: string, character: string): string {
  let end = text.length
  while (end > 0 && text.charAt(end - 1) === character) end--
  return text.slice(0, end)
}
