/** What can be wrong with a command that a user typed. */
class WordsProblem extends Error {}

/**
 * The words of a command: a JSON array, one word a line where there are several lines, otherwise parted by spaces with
 * quotes and backslashes as in a shell (nothing is expanded).
 *
 * @throws {WordsProblem}
 */
export function commandWords(lines: readonly string[]): readonly string[] {
  const [first = ''] = lines
  if (first.startsWith('[')) return jsonWords(lines.join('\n'))
  return lines.length > 1 ? lines : shellWords(first)
}

/** @throws {WordsProblem} */
export function jsonWords(text: string): readonly string[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new WordsProblem(`${text} is not a JSON array of words`)
  }
  if (Array.isArray(value) && value.every(word => typeof word === 'string')) return value
  throw new WordsProblem(`${text} is not a JSON array of words`)
}

const WORD = /\s*((?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+)/gsy
const PIECE = /\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'|([^"'\\]+)/gs

function shellWords(text: string): readonly string[] {
  const words: string[] = []
  let end = 0
  for (const match of text.matchAll(WORD)) {
    end = match.index + match[0].length
    words.push(unquote(match[1] ?? ''))
  }
  if (text.slice(end).trim() !== '') throw new WordsProblem(`${text} has a quote that does not end`)
  return words
}

function unquote(word: string): string {
  let text = ''
  for (const [, escaped, double, single, plain] of word.matchAll(PIECE)) {
    text += escaped ?? double?.replace(/\\(["\\$`])/g, '$1') ?? single ?? plain ?? ''
  }
  return text
}
