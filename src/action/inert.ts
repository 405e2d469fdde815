/**
 * A line for the log that the runner does not read as a command: it obeys `::name::` at the start of a line and `##[name]`
 * anywhere in it, and the text may be a registry's.
 */
export function inert(line: string): string {
  return line.replace(/^(\s*)(?=::)/, '$1\u200b').replaceAll('##[', '#\u200b#[')
}
