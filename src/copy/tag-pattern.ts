/** What may be written in a pattern: the characters of tags, `*` for any text, `?` for one character. */
const PATTERN = /^[\w.*?-]{1,128}$/

/** @returns undefined where it is a pattern, else what is wrong with it */
export function patternProblem(pattern: string): string | undefined {
  if (PATTERN.test(pattern)) return undefined
  return `"${pattern}" is not a pattern of tags, such as v1.* or *-alpine`
}

/** Whether a tag is wanted: it fits one of `include`, where there are any, and none of `exclude`. */
export function isWanted(tag: string, include: readonly string[], exclude: readonly string[]): boolean {
  const fits = (pattern: string): boolean => expressionOf(pattern).test(tag)
  return (include.length === 0 || include.some(fits)) && !exclude.some(fits)
}

function expressionOf(pattern: string): RegExp {
  const source = pattern.replaceAll('.', '[.]').replaceAll('?', '.').replaceAll(/\*+/g, '.*')
  return new RegExp(`^${source}$`)
}
