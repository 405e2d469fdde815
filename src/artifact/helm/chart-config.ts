import { createHash } from 'node:crypto'
import { digestOf, finishDigest } from '../../oci/digest.ts'
import type { Document } from '../../oci/manifest.ts'
import type { ChartDependency, ChartMetadata } from './chart.ts'

export const CHART_CONFIG = 'application/vnd.cncf.helm.config.v1+json'

/** The config of a chart: its metadata as JSON, byte for byte as helm's own push writes it. */
export function chartConfig(metadata: ChartMetadata): Document {
  const bytes = new TextEncoder().encode(goJsonText(metadataJson(metadata)))
  return { bytes, descriptor: { mediaType: CHART_CONFIG, digest: digestOf(bytes), size: bytes.byteLength } }
}

/** What a Chart.lock has for a digest: that of what Chart.yaml asks for and of what was chosen. */
export function lockDigest(wanted: readonly ChartDependency[], locked: readonly ChartDependency[]): string {
  return sha256(goJsonText([listOrNull(wanted), listOrNull(locked)]))
}

/** What helm 2 wrote into a requirements.lock: the digest of what was asked for. */
export function oldLockDigest(wanted: readonly ChartDependency[]): string {
  return sha256(goJsonText({ dependencies: listOrNull(wanted) }))
}

function sha256(text: string): string {
  return finishDigest(createHash('sha256').update(text))
}

/** A list that was never filled is `null` in Go. */
function listOrNull(dependencies: readonly ChartDependency[]): readonly object[] | null {
  return dependencies.length === 0 ? null : dependencies.map(dependencyJson)
}

function metadataJson(metadata: ChartMetadata): object {
  // In this order helm's struct has them; `undefined` is left out by JSON.
  const { name, home, sources, version, description, keywords, maintainers, icon, apiVersion } = metadata
  const { condition, tags, appVersion, deprecated, annotations, kubeVersion, dependencies, type } = metadata
  return {
    ...{ name, home, sources, version, description, keywords },
    maintainers: maintainers?.map(({ name, email, url }) => ({ name, email, url })),
    ...{ icon, apiVersion, condition, tags, appVersion, deprecated },
    annotations: annotations && sortedMap(annotations),
    kubeVersion,
    dependencies: dependencies?.map(dependencyJson),
    type,
  }
}

function dependencyJson(dependency: ChartDependency): object {
  const { name, version, repository, condition, tags, enabled, importValues, alias } = dependency
  const imports = importValues?.map(deepSorted)
  return { name, version, repository, condition, tags, enabled, 'import-values': imports, alias }
}

/** A map with the order of Go's: bytewise by key. An object would put keys such as `15` first. */
function sortedMap(map: Readonly<Record<string, unknown>>): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(map).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
}

function deepSorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(deepSorted)
  if (typeof value !== 'object' || value === null) return value
  return new Map([...sortedMap(value as Record<string, unknown>)].map(([key, item]) => [key, deepSorted(item)]))
}

/** As Go's encoding/json writes it: objects in their order, safe to stand in HTML. */
function goJsonText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goJsonText).join()}]`
  if (typeof value === 'object' && value !== null) {
    const entries = value instanceof Map ? [...(value as ReadonlyMap<string, unknown>)] : Object.entries(value)
    const there = entries.filter(([, item]) => item !== undefined)
    return `{${there.map(([key, item]) => `${goJsonText(key)}:${goJsonText(item)}`).join()}}`
  }
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, escapeChar)
}

function escapeChar(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}
