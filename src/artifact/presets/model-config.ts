import type { InputProblem } from '../../errors.ts'

type Section = 'descriptor' | 'config' | 'capabilities'
type Form = 'text' | 'list' | 'boolean'

/** ModelPack's config by key, with the form of its value; lists are parted by commas. */
const KEYS: Readonly<Record<string, readonly [section: Section, form: Form]>> = {
  name: ['descriptor', 'text'],
  family: ['descriptor', 'text'],
  version: ['descriptor', 'text'],
  title: ['descriptor', 'text'],
  description: ['descriptor', 'text'],
  vendor: ['descriptor', 'text'],
  authors: ['descriptor', 'list'],
  licenses: ['descriptor', 'list'],
  docURL: ['descriptor', 'text'],
  sourceURL: ['descriptor', 'text'],
  datasetsURL: ['descriptor', 'list'],
  revision: ['descriptor', 'text'],
  architecture: ['config', 'text'],
  format: ['config', 'text'],
  paramSize: ['config', 'text'],
  precision: ['config', 'text'],
  quantization: ['config', 'text'],
  inputTypes: ['capabilities', 'list'],
  outputTypes: ['capabilities', 'list'],
  languages: ['capabilities', 'list'],
  knowledgeCutoff: ['capabilities', 'text'],
  reasoning: ['capabilities', 'boolean'],
  toolUsage: ['capabilities', 'boolean'],
  reward: ['capabilities', 'boolean'],
}

export function modelProblems(metadata: ReadonlyMap<string, string>): readonly InputProblem[] {
  return [...metadata].flatMap(([key, value]): readonly InputProblem[] => {
    const [, form] = Object.hasOwn(KEYS, key) ? (KEYS[key] ?? []) : []
    if (form === undefined) {
      return [{ input: 'model', problem: `"${key}" is not known; there are ${Object.keys(KEYS).join(', ')}` }]
    }
    if (form !== 'boolean' || value === 'true' || value === 'false') return []
    return [{ input: 'model', problem: `${key} is true or false, not "${value}"` }]
  })
}

/**
 * What is said of a model, in the parts of its config. The order of the keys is that of the table, not that of the user.
 *
 * @see ModelPack, docs/config.md
 */
export function modelConfig(metadata: ReadonlyMap<string, string>, created: string | undefined): object {
  const of = (wanted: Section): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(KEYS).flatMap(([key, [section, form]]) => {
        const value = metadata.get(key)
        return section !== wanted || value === undefined ? [] : [[key, valueOf(value, form)]]
      }),
    )
  const capabilities = of('capabilities')
  return {
    descriptor: { ...(created !== undefined && { createdAt: created }), ...of('descriptor') },
    config: { ...of('config'), ...(Object.keys(capabilities).length > 0 && { capabilities }) },
  }
}

function valueOf(text: string, form: Form): unknown {
  if (form === 'boolean') return text === 'true'
  if (form === 'text') return text
  return text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
}
