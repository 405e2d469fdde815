import type { ChartDependency, ChartMaintainer, ChartMetadata, Findings } from './chart.ts'
import { goJson, goText, parseGoYaml, type GoYaml } from './go-yaml.ts'

type GoMap = Extract<GoYaml, { kind: 'map' }>

/** Fields of a Chart.yaml, in the order in which helm writes them. */
const FIELDS: readonly string[] = [
  ...['name', 'home', 'sources', 'version', 'description', 'keywords', 'maintainers', 'icon', 'apiVersion'],
  ...['condition', 'tags', 'appVersion', 'deprecated', 'annotations', 'kubeVersion', 'dependencies', 'type'],
]
const MAINTAINER_FIELDS: readonly string[] = ['name', 'email', 'url']
const DEPENDENCY_FIELDS: readonly string[] = [
  ...['name', 'version', 'repository', 'condition', 'tags', 'enabled', 'import-values', 'alias'],
]

/**
 * Reads a Chart.yaml as helm does: what stands without quotes where a text is wanted becomes one (`1.10` becomes `1.1`),
 * white space becomes blanks, what cannot be printed goes. Whether the chart is a valid one is not looked at.
 *
 * @param where names the file, with its line, in findings
 */
export function parseChartYaml(bytes: Uint8Array, where: string, findings: Findings): ChartMetadata {
  const map = mapOf(parseGoYaml(bytes, where, findings.problems), where, findings)
  const fields = new Fields(map, where, findings, FIELDS)
  return {
    name: clean(fields.text('name')),
    ...given('home', clean(fields.text('home'))),
    ...given('sources', fields.texts('sources').map(clean)),
    version: fields.text('version'),
    ...given('description', clean(fields.text('description'))),
    ...given('keywords', fields.texts('keywords').map(clean)),
    ...given(
      'maintainers',
      fields.maps('maintainers').map(item => maintainerOf(item, where, findings)),
    ),
    ...given('icon', clean(fields.text('icon'))),
    apiVersion: fields.text('apiVersion') || 'v1',
    ...given('condition', clean(fields.text('condition'))),
    ...given('tags', clean(fields.text('tags'))),
    ...given('appVersion', clean(fields.text('appVersion'))),
    ...given('deprecated', fields.flag('deprecated')),
    ...given('annotations', fields.textMap('annotations')),
    ...given('kubeVersion', clean(fields.text('kubeVersion'))),
    ...given('dependencies', dependenciesOf(fields, where, findings)),
    ...given('type', fields.text('type')),
  }
}

/** What the files beside Chart.yaml say of dependencies: requirements.yaml and the lock files. */
export interface DependencyFile {
  readonly dependencies: readonly ChartDependency[]
  /** Of lock files. */
  readonly digest: string
}

/** Reads requirements.yaml, requirements.lock or Chart.lock. */
export function parseDependencyFile(bytes: Uint8Array, where: string, findings: Findings): DependencyFile {
  const map = mapOf(parseGoYaml(bytes, where, findings.problems), where, findings)
  const fields = new Fields(map, where, findings, ['dependencies', 'digest', 'generated'])
  return { dependencies: dependenciesOf(fields, where, findings), digest: fields.text('digest') }
}

function dependenciesOf(fields: Fields, where: string, findings: Findings): readonly ChartDependency[] {
  return fields.maps('dependencies').map(item => {
    const inner = new Fields(item, where, findings, DEPENDENCY_FIELDS)
    return {
      name: clean(inner.text('name')),
      ...given('version', clean(inner.text('version'))),
      repository: clean(inner.text('repository')),
      ...given('condition', clean(inner.text('condition'))),
      ...given('tags', inner.texts('tags').map(clean)),
      ...given('enabled', inner.flag('enabled')),
      ...given('importValues', inner.list('import-values').map(goJson)),
      ...given('alias', inner.text('alias')),
    }
  })
}

function maintainerOf(map: GoMap, where: string, findings: Findings): ChartMaintainer {
  const fields = new Fields(map, where, findings, MAINTAINER_FIELDS)
  return {
    ...given('name', clean(fields.text('name'))),
    ...given('email', clean(fields.text('email'))),
    ...given('url', clean(fields.text('url'))),
  }
}

/** One map of the document, asked field by field. What is of the wrong kind is a problem, and counts as empty. */
class Fields {
  readonly #map: GoMap
  readonly #where: string
  readonly #findings: Findings

  constructor(map: GoMap, where: string, findings: Findings, known: readonly string[]) {
    this.#map = map
    this.#where = where
    this.#findings = findings
    for (const [key, { line }] of map.entries) {
      if (known.includes(key)) continue
      const meant = known.find(name => name.toLowerCase() === key.toLowerCase())
      const advice = meant === undefined ? 'helm does not know it' : `helm knows it as "${meant}"`
      findings.warnings.push(`${where}:${line}: "${key}": ${advice}`)
    }
  }

  text(key: string): string {
    const value = this.#get(key)
    return value ? this.#textOf(value, key) : ''
  }

  texts(key: string): readonly string[] {
    return this.list(key).map(item => this.#textOf(item, key))
  }

  flag(key: string): boolean {
    const value = this.#get(key)
    if (!value || value.kind === 'null') return false
    if (value.kind === 'bool') return value.value
    this.#refuse(value, key, 'true or false')
    return false
  }

  list(key: string): readonly GoYaml[] {
    const value = this.#get(key)
    if (!value || value.kind === 'null') return []
    if (value.kind === 'list') return value.items
    this.#refuse(value, key, 'a list')
    return []
  }

  maps(key: string): readonly GoMap[] {
    return this.list(key).flatMap(item => {
      if (item.kind === 'map') return [item]
      this.#refuse(item, `${key}[]`, 'a map')
      return []
    })
  }

  textMap(key: string): Readonly<Record<string, string>> {
    const value = this.#get(key)
    if (!value || value.kind === 'null') return {}
    if (value.kind === 'map') {
      const texts = [...value.entries].map(([name, item]) => [name, this.#textOf(item, `${key}.${name}`)] as const)
      return Object.fromEntries(texts.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
    }
    this.#refuse(value, key, 'a map')
    return {}
  }

  /** Go's JSON reader, through which all of this goes, does not care for upper and lower case. */
  #get(key: string): GoYaml | undefined {
    const { entries } = this.#map
    const exact = entries.get(key)
    if (exact) return exact
    return [...entries].find(([name]) => name.toLowerCase() === key.toLowerCase())?.[1]
  }

  #textOf(value: GoYaml, key: string): string {
    if (value.kind === 'string') return value.value
    if (value.kind === 'null') return ''
    const text = goText(value)
    if (text === undefined || !('text' in value)) {
      this.#refuse(value, key, 'text')
      return ''
    }
    const became = text === value.text ? 'no text' : `read as "${text}"`
    this.#findings.warnings.push(
      `${this.#where}:${value.line}: ${key}: ${value.text} is ${became}; put it in quotes: "${value.text}"`,
    )
    return text
  }

  #refuse({ line }: GoYaml, key: string, wanted: string): void {
    this.#findings.problems.push(`${this.#where}:${line}: ${key} is not ${wanted}`)
  }
}

function mapOf(value: GoYaml, where: string, { problems }: Findings): GoMap {
  if (value.kind === 'map') return value
  if (value.kind !== 'null') problems.push(`${where}: is not a map of fields`)
  return { kind: 'map', line: 1, entries: new Map() }
}

/** `{[key]: value}`, or nothing where Go's `omitempty` would leave it out. */
function given<K extends string, V extends string | boolean | object>(key: K, value: V): Partial<Record<K, V>> {
  const empty = typeof value === 'object' ? Object.keys(value).length === 0 : !value
  return empty ? {} : ({ [key]: value } as Record<K, V>)
}

function clean(text: string): string {
  return text.replace(/\p{White_Space}/gu, ' ').replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '')
}
