import { readEntries } from './entries.ts'
import type { Kind } from './field-kinds.ts'
import type { FieldName, FieldValues } from './fields.ts'

/**
 * What a request wants published. `image` also where nothing is asked for: what is missing is then told in the words of an
 * image. `files` excludes the others.
 */
export type Kinds = Readonly<Record<Kind, boolean>>

const OF_ARTIFACTS = ['files', 'artifact-type', 'artifact-config', 'artifact-preset', 'artifact-model'] as const

export function kindsOf(values: FieldValues): Kinds {
  const entries = readEntries(values)
  if (OF_ARTIFACTS.some((name: FieldName) => entries.of(name).length > 0)) {
    return { image: false, chart: false, files: true }
  }
  const chart = entries.text('chart') !== undefined
  const base = entries.text('base-image')
  const hasImage = entries.of('layers').length > 0 || (base !== undefined && base !== 'scratch')
  return { chart, image: hasImage || !chart, files: false }
}
