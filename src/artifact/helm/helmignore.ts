import { matchesGoPattern, parseGoPattern, type GoPattern } from './go-match.ts'

/** The rules of a .helmignore file, which are not those of .gitignore. */
export type HelmIgnore = readonly Rule[]

interface Rule {
  /** undefined matches nothing. */
  readonly pattern: GoPattern | undefined
  /** What the pattern is held against: the last name of a path, or all of it. */
  readonly against: 'name' | 'path'
  readonly negated: boolean
  readonly directoriesOnly: boolean
}

/** What helm leaves out in any case, after all other rules: dot files and dot folders directly in templates/. */
const BUILT_IN = 'templates/.?*'

/**
 * Reads a .helmignore file as helm does.
 *
 * @param text undefined where there is no such file
 * @param problems gets a sentence for each line that helm would stop at
 */
export function parseHelmIgnore(text: string | undefined, problems: string[]): HelmIgnore {
  const rules: Rule[] = []
  const lines = (text ?? '').replace(/^\ufeff/, '').split('\n')
  for (const [index, line] of [...lines, BUILT_IN].entries()) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const rule = trimmed.includes('**') ? '"**" does not exist there' : parseRule(trimmed)
    if (typeof rule === 'string') problems.push(`.helmignore:${index + 1}: ${JSON.stringify(trimmed)}: ${rule}`)
    else rules.push(rule)
  }
  return rules
}

function parseRule(text: string): Rule | string {
  const negated = text.startsWith('!')
  const directoriesOnly = text.endsWith('/')
  const rest = text.slice(negated ? 1 : 0, directoriesOnly ? -1 : undefined)
  // helm checks the whole line, then matches without the slash at its end: with `\/` there, nothing.
  if (!parseGoPattern(text)) return 'a bracket is not closed or nothing follows a "\\"'
  const pattern = parseGoPattern(rest.replace(/^\/+/, ''))
  return { pattern, against: rest.includes('/') ? 'path' : 'name', negated, directoriesOnly }
}

/**
 * Whether helm leaves a file, or a folder with all that is in it, out of the package. The first rule decides that applies.
 *
 * A rule with `!` does not bring anything back: it leaves out whatever it does not match.
 *
 * @param path relative to the chart, with `/`
 */
export function isHelmIgnored(rules: HelmIgnore, path: string, isDirectory: boolean): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return rules.some(({ pattern, against, negated, directoriesOnly }) => {
    if (directoriesOnly && !isDirectory) return negated
    const matches = pattern !== undefined && matchesGoPattern(pattern, against === 'name' ? name : path)
    return matches !== negated
  })
}
