/**
 * JSON as Go's `json.Marshal` writes it: no white space, and what HTML and JavaScript could stumble over escaped. For what
 * is compared by its bytes with what tools in Go have written.
 *
 * @param value that JSON can express
 */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, escaped)
}

/** A map of Go: its keys in the order of their bytes, which an object of JavaScript does not keep ("10" before "2"). */
export function goJsonMap(map: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(map).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return `{${pairs.map(([key, value]) => `${goJson(key)}:${goJson(value)}`).join(',')}}`
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
