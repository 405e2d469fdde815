import { isMap, isScalar, parseAllDocuments, visit, type Document } from 'yaml'

/** What to write into a Chart.yaml; undefined and '' change nothing. */
export interface ChartOverrides {
  readonly version?: string | undefined
  readonly appVersion?: string | undefined
}

/**
 * Another version in a Chart.yaml, in quotes; everything else stays as it is written, comments and blanks too.
 *
 * @param bytes in UTF-8; of a document with syntax errors something is made that has them, too
 */
export function editChartYaml(bytes: Uint8Array, { version, appVersion }: ChartOverrides): Uint8Array {
  if (!version && !appVersion) return bytes
  let text = Buffer.from(bytes).toString()
  if (version) text = withField(text, 'version', version)
  if (appVersion) text = withField(text, 'appVersion', appVersion)
  return new TextEncoder().encode(text)
}

const OPTIONS = { schema: 'failsafe', version: '1.1', uniqueKeys: false } as const

function withField(text: string, key: string, value: string): string {
  const document: Document | undefined = parseAllDocuments(text, OPTIONS)[0]
  if (!document || !isMap(document.contents)) return text
  const { items, flow } = document.contents
  // Of a key that stands there twice, helm takes the last.
  const pair = items.findLast(item => isScalar(item.key) && item.key.value === key)
  const quoted = JSON.stringify(value)
  const old = pair?.value
  const isInline = isScalar(old) && (old.type === 'PLAIN' || old.type?.startsWith('QUOTE') === true)
  if (isInline && old.anchor === undefined && old.tag === undefined && old.range && old.source !== '') {
    return text.slice(0, old.range[0]) + quoted + text.slice(old.range[1])
  }
  const first = items[0]?.key
  if (!pair && flow !== true && isScalar(first) && first.range) {
    const start = first.range[0]
    const indent = text.slice(text.lastIndexOf('\n', start - 1) + 1, start)
    if (indent.trim() === '') return `${text.slice(0, start)}${key}: ${quoted}\n${indent}${text.slice(start)}`
  }
  // Aliases, block scalars and the like are rare enough to have the document written anew.
  if (pair) {
    pair.value = document.createNode(value, { aliasDuplicateObjects: false })
    keepAnchor(document, old)
  } else document.contents.add(document.createPair(key, value))
  return document.toString({ lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' })
}

/** What other fields took over from the old value stays with the first of them. */
function keepAnchor(document: Document, old: unknown): void {
  if (!isScalar(old) || old.anchor === undefined) return
  let moved = false
  visit(document, {
    Alias(_key, alias) {
      if (moved || alias.source !== old.anchor) return undefined
      moved = true
      return old
    },
  })
}
