import { readEntries } from './entries.ts'
import type { FieldValues } from './fields.ts'

/** What a request wants published. */
export interface Kinds {
  /** Also where nothing is asked for: what is missing is then told in the words of an image. */
  readonly image: boolean
  readonly chart: boolean
}

export function kindsOf(values: FieldValues): Kinds {
  const entries = readEntries(values)
  const chart = entries.text('chart') !== undefined
  const base = entries.text('base-image')
  const hasImage = entries.of('layers').length > 0 || (base !== undefined && base !== 'scratch')
  return { chart, image: hasImage || !chart }
}
