import type { InputProblem } from '../errors.ts'
import { FIELDS, entriesOf, type Field, type FieldName, type FieldValues } from './fields.ts'

/** What was typed, read by the kind of each field, with defaults filled in. */
export interface Entries {
  of(name: FieldName): readonly string[]
  /** The only entry, undefined where there is none. */
  text(name: FieldName): string | undefined
  /** As it was typed, for a document of its own language: without its indentation it would be another one. */
  document(name: FieldName): string
  boolean(name: FieldName, problems: InputProblem[]): boolean
  number(name: FieldName, problems: InputProblem[]): number | undefined
  choice<T extends string>(name: FieldName, choices: readonly T[], problems: InputProblem[]): T
  /** `KEY=VALUE` entries, in order. */
  pairs(name: FieldName, problems: InputProblem[]): readonly (readonly [key: string, value: string])[]
}

export function readEntries(values: FieldValues): Entries {
  const fields = new Map<FieldName, Field>(FIELDS.map(field => [field.name, field]))
  const of = (name: FieldName): readonly string[] => {
    const field = fields.get(name)
    if (!field) return []
    const entries = entriesOf(field, values[name])
    return entries.length === 0 && field.default !== undefined ? entriesOf(field, field.default) : entries
  }
  const text = (name: FieldName): string | undefined => of(name)[0]
  return {
    of,
    text,
    document: name => [values[name] ?? []].flat().join('\n'),
    boolean(name, problems) {
      const value = text(name) ?? 'false'
      if (/^(?:true|yes|on|1)$/i.test(value)) return true
      if (!/^(?:false|no|off|0)$/i.test(value))
        problems.push({ input: name, problem: `"${value}" is not true or false` })
      return false
    },
    number(name, problems) {
      const value = text(name)
      if (value === undefined || /^\d+$/.test(value)) return value === undefined ? undefined : Number(value)
      problems.push({ input: name, problem: `"${value}" is not a whole number` })
      return undefined
    },
    choice<T extends string>(name: FieldName, choices: readonly T[], problems: InputProblem[]): T {
      const value = text(name) ?? ''
      const found = choices.find(choice => choice === value) ?? choices[0]
      if (found !== value) problems.push({ input: name, problem: `"${value}" is not one of ${choices.join(', ')}` })
      if (found === undefined) throw new TypeError(`${name} has no choices`)
      return found
    },
    pairs(name, problems) {
      return of(name).flatMap(entry => {
        const at = entry.indexOf('=')
        if (at > 0) return [[entry.slice(0, at), entry.slice(at + 1)] as const]
        problems.push({ input: name, problem: `"${entry}" is not KEY=VALUE` })
        return []
      })
    },
  }
}
