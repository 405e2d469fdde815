import { messageOf, type InputProblem } from '../errors.ts'
import { LEVELS, type AnnotationLevel, type AnnotationRule } from '../image/annotations.ts'
import { parsePlatform } from '../oci/platform.ts'

const PREFIX = /^((?:[a-z-]+(?:\[[^\]]*\])?)(?:,[a-z-]+(?:\[[^\]]*\])?)*):(.*)$/s
const LEVEL = /^([a-z-]+)(?:\[([^\]]*)\])?$/

/**
 * Reads `[LEVEL[,LEVEL]:]KEY=VALUE`, a level also as `manifest[linux/arm64]`, as BuildKit does; but without a level it is
 * for manifest and index, because registries show what stands on the index.
 */
export function parseAnnotation(line: string, problems: InputProblem[]): readonly AnnotationRule[] {
  const refuse = (problem: string): readonly [] => {
    problems.push({ input: 'annotations', problem: `"${line}": ${problem}` })
    return []
  }
  const equals = line.indexOf('=')
  if (equals < 1) return refuse('it is not [LEVEL:]KEY=VALUE')
  // A key may hold a colon too; only what looks like levels is taken for them.
  const [, prefix, rest] = PREFIX.exec(line.slice(0, equals)) ?? []
  const key = rest ?? line.slice(0, equals)
  const value = line.slice(equals + 1)
  if (key === '') return refuse('the key is missing')
  if (prefix === undefined) return [{ levels: ['index', 'manifest'], platform: undefined, key, value }]
  return prefix.split(',').flatMap(part => {
    const [, name = '', specifier] = LEVEL.exec(part) ?? []
    const level = LEVELS.find(one => one === name)
    if (!level) return refuse(`there are the levels ${LEVELS.join(', ')}`)
    return rule(level, specifier, key, value, refuse)
  })
}

function rule(
  level: AnnotationLevel,
  specifier: string | undefined,
  key: string,
  value: string,
  refuse: (problem: string) => readonly [],
): readonly AnnotationRule[] {
  if (specifier === undefined) return [{ levels: [level], platform: undefined, key, value }]
  if (level === 'index') return refuse('an index is for all platforms')
  try {
    return [{ levels: [level], platform: parsePlatform(specifier), key, value }]
  } catch (error) {
    return refuse(messageOf(error))
  }
}
