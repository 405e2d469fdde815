import { isMap, isScalar, isSeq, parseAllDocuments, type Document } from 'yaml'
import { OciPublishError } from '../../errors.ts'
import type { Chart, ChartFile } from './chart.ts'

/** One key of values.yaml, and the text to write there. */
export interface ValueChange {
  /** As for `helm --set`: `image.tag`; a backslash keeps a dot within a key. */
  readonly path: string
  readonly value: string
}

/** Keys, from the outermost inwards. */
function keysOf(text: string): readonly string[] {
  return [...text.matchAll(/(?:\\.|[^.\\])+/g)].map(([key]) => key.replace(/\\(.)/g, '$1'))
}

/**
 * A chart with other texts in its values.yaml; everything else stays as it is written, comments and blanks too.
 *
 * @throws {OciPublishError} INVALID_CHART for a key that is not there: no template would ask for one that was misspelt
 */
export function withValues(chart: Chart, changes: readonly ValueChange[]): Chart {
  if (changes.length === 0) return chart
  const { name } = chart.metadata
  if (chart.archive) {
    throw refused(
      name,
      'is packaged, so its values stay what they are',
      'give its folder, or publish it without chart-values',
    )
  }
  const file = chart.files.find(({ path }) => path === 'values.yaml')
  if (!file) throw refused(name, 'has no values.yaml to write into', undefined)
  let text = Buffer.from(file.bytes).toString()
  for (const { path, value } of changes) {
    const changed = withText(text, keysOf(path), value)
    if (changed === undefined) {
      throw refused(name, `has no ${path} in its values.yaml`, `add it there, with '' for a value`)
    }
    text = changed
  }
  const edited: ChartFile = { path: file.path, bytes: new TextEncoder().encode(text) }
  return { ...chart, files: chart.files.map(one => (one === file ? edited : one)) }
}

function refused(name: string, why: string, hint: string | undefined): OciPublishError {
  return new OciPublishError('INVALID_CHART', `chart ${name}: ${why}`, { hint })
}

/** undefined where there is no such key, or a map or a list at it. */
function withText(text: string, path: readonly string[], value: string): string | undefined {
  const documents: readonly Document[] = parseAllDocuments(text, { version: '1.1', uniqueKeys: false })
  const [document] = documents
  const [last = ''] = path.slice(-1)
  const holder: unknown = path.length === 1 ? document?.contents : document?.getIn(path.slice(0, -1), true)
  if (!document || !(isMap(holder) || isSeq(holder)) || !holder.has(last)) return undefined
  const old: unknown = holder.get(last, true)
  if (isMap(old) || isSeq(old)) return undefined
  const quoted = JSON.stringify(value)
  if (isScalar(old) && old.range && old.anchor === undefined && old.tag === undefined) {
    const [start, end] = old.range
    if (start === end) {
      const before = text.slice(0, start).replace(/:$/, ': ')
      return before + quoted + text.slice(end).replace(/^#/, ' #')
    }
    if (old.type === 'PLAIN' || old.type?.startsWith('QUOTE') === true) {
      return text.slice(0, start) + quoted + text.slice(end)
    }
  }
  // Aliases, block scalars and the like are rare enough to have the document written anew.
  document.setIn(path, document.createNode(value))
  return documents.map(one => one.toString({ lineWidth: 0 })).join('')
}
