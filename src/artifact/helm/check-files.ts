import { messageOf } from '../../errors.ts'
import { readChartArchive } from './chart-archive.ts'
import { lockDigest, oldLockDigest } from './chart-config.ts'
import { isLeftOutOfCharts, type ReadFilesOptions } from './chart-directory.ts'
import { parseChartYaml, parseDependencyFile } from './chart-yaml.ts'
import type { ChartFile, ChartMetadata, Findings } from './chart.ts'
import { checkMetadata } from './check-metadata.ts'
import { parseGoYamlDocuments } from './go-yaml.ts'

/** A chart in a chart in a chart...: a package that holds itself has no end. */
const MAX_DEPTH = 16

type Files = ReadonlyMap<string, Uint8Array>

/**
 * Checks the files of a chart and of all charts in it, as helm does when it loads them, and that every dependency is
 * there.
 *
 * @param at where the chart is in the outermost one, with `/` at its end; empty for that itself
 */
export async function checkChartFiles(
  list: readonly ChartFile[],
  at: string,
  findings: Findings,
  options: ReadFilesOptions,
): Promise<ChartMetadata | undefined> {
  options.signal?.throwIfAborted()
  const files: Files = new Map(list.map(({ path, bytes }) => [path, bytes]))
  const metadata = readMetadata(files, at, findings)
  const subcharts = await checkSubcharts(list, at, findings, options)
  if (!metadata) return undefined
  checkValues(files, at, findings)
  if (at === '') checkDependencies(metadata, files, subcharts, findings)
  return metadata
}

function readMetadata(files: Files, at: string, findings: Findings): ChartMetadata | undefined {
  const { problems, warnings } = findings
  const chartYaml = files.get('Chart.yaml')
  if (!chartYaml) {
    const other = [...files.keys()].find(path => path.toLowerCase() === 'chart.yaml')
    const why = other === undefined ? (files.has('.helmignore') ? ': does .helmignore name it?' : '') : `: not ${other}`
    problems.push(`${at}Chart.yaml is missing${why}`)
    return undefined
  }
  const where = `${at}Chart.yaml`
  const before = problems.length
  const own = parseChartYaml(chartYaml, where, findings)
  const requirements = files.get('requirements.yaml')
  if (own.apiVersion === 'v1' && own.dependencies) {
    warnings.push(`${where}: with apiVersion v1 dependencies belong into requirements.yaml; say apiVersion: v2`)
  }
  if (requirements && own.apiVersion !== 'v1') {
    warnings.push(`${at}requirements.yaml: with apiVersion v2 dependencies belong into Chart.yaml`)
  }
  const metadata = requirements ? withRequirements(own, requirements, at, findings) : own
  if (problems.length === before) checkMetadata(metadata, where, findings)
  return metadata
}

function withRequirements(own: ChartMetadata, bytes: Uint8Array, at: string, findings: Findings): ChartMetadata {
  const { dependencies } = parseDependencyFile(bytes, `${at}requirements.yaml`, findings)
  return dependencies.length > 0 ? { ...own, dependencies } : own
}

/** @returns name and version of every chart in charts/ */
async function checkSubcharts(
  list: readonly ChartFile[],
  at: string,
  findings: Findings,
  options: ReadFilesOptions,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>()
  for (const [entry, files] of entriesOfCharts(list)) {
    const where = `${at}charts/${entry}`
    const archive = entry.endsWith('.tgz') ? files.find(({ path }) => path === '') : undefined
    if (where.split('charts/').length > MAX_DEPTH) {
      findings.problems.push(`${where}: charts in charts, more than ${MAX_DEPTH} deep`)
      continue
    }
    if (entry.endsWith('.tgz') && !archive) {
      findings.problems.push(`${where} is a folder, where its name says that it is a package`)
      continue
    }
    const inside = archive ? await readChartArchive(archive.bytes, where, findings, options) : files.filter(isInside)
    const metadata = await checkChartFiles(inside, `${where}/`, findings, options)
    if (metadata) found.set(metadata.name, [...(found.get(metadata.name) ?? []), metadata.version])
  }
  return found
}

/** Every file or folder directly in charts/ that helm takes for a chart; the path of a file that is one itself is ''. */
function entriesOfCharts(list: readonly ChartFile[]): ReadonlyMap<string, readonly ChartFile[]> {
  const entries = new Map<string, ChartFile[]>()
  for (const { path, bytes } of list) {
    if (!path.startsWith('charts/') || path.endsWith('.prov') || isLeftOutOfCharts(path)) continue
    const [, entry = '', ...rest] = path.split('/')
    const files = entries.get(entry) ?? []
    files.push({ path: rest.join('/'), bytes })
    entries.set(entry, files)
  }
  return entries
}

function isInside({ path }: ChartFile): boolean {
  return path !== ''
}

function checkValues(files: Files, at: string, { problems }: Findings): void {
  const values = files.get('values.yaml')
  if (values) {
    const documents = parseGoYamlDocuments(values, `${at}values.yaml`, problems)
    if (documents.some(({ kind }) => kind !== 'map' && kind !== 'null')) {
      problems.push(`${at}values.yaml: is not a map of values`)
    }
  }
  const schema = files.get('values.schema.json')
  if (!schema) return
  try {
    JSON.parse(Buffer.from(schema).toString())
  } catch (error) {
    problems.push(`${at}values.schema.json: is not JSON (${messageOf(error)})`)
  }
}

function checkDependencies(
  { name, apiVersion, dependencies = [] }: ChartMetadata,
  files: Files,
  subcharts: ReadonlyMap<string, readonly string[]>,
  findings: Findings,
): void {
  const { problems, warnings } = findings
  const wanted = new Set(dependencies.map(dependency => dependency.name))
  for (const missing of wanted) {
    if (!subcharts.has(missing)) problems.push(`charts/ has no chart "${missing}", a dependency of ${name}`)
  }
  for (const extra of subcharts.keys()) {
    if (!wanted.has(extra)) warnings.push(`charts/ has a chart "${extra}" that is no dependency of ${name}`)
  }
  const lockFile = apiVersion === 'v1' ? 'requirements.lock' : 'Chart.lock'
  const bytes = files.get(lockFile)
  if (!bytes) return
  const lock = parseDependencyFile(bytes, lockFile, findings)
  const digests = [lockDigest(dependencies, lock.dependencies)]
  if (apiVersion === 'v1') digests.push(oldLockDigest(dependencies))
  if (!digests.includes(lock.digest)) {
    warnings.push(`${lockFile} is out of date: its digest is not that of the dependencies; run helm dependency update`)
  }
  for (const locked of lock.dependencies) {
    const there = subcharts.get(locked.name)
    if (there && locked.version !== undefined && !there.includes(locked.version)) {
      warnings.push(`${lockFile} chose ${locked.name} ${locked.version}, charts/ has ${there.join(' and ')}`)
    }
  }
}
