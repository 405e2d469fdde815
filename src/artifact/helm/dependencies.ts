import type { Abortable } from '../../async/abortable.ts'
import { messageOf, OciPublishError } from '../../errors.ts'
import { readChartArchive } from './chart-archive.ts'
import { lockDigest, oldLockDigest } from './chart-config.ts'
import type { ChartSources } from './chart-sources.ts'
import { parseChartYaml, parseDependencyFile, type DependencyFile } from './chart-yaml.ts'
import type { ChartDependency, ChartFile, ChartMetadata, Findings } from './chart.ts'
import { highestIn } from './version-range.ts'

export interface DependencyOptions extends Abortable {
  /** `build` takes what Chart.lock has chosen, `update` the newest that fits. */
  readonly mode: 'build' | 'update'
  /** Of the chart; `file://` is relative to it. */
  readonly folder: string
  readonly sources: ChartSources
  /** Seconds since 1970, for a Chart.lock that has to be written. */
  readonly created: number | undefined
  readonly onNotice: (text: string) => void
}

/**
 * The files of a chart with the dependencies that it lacks, and with a Chart.lock that says which they are. The folder that
 * they were read from stays as it is. What is wrong with the chart itself is left to whoever checks it.
 *
 * @throws {OciPublishError} LOCK_OUTDATED, DEPENDENCY_UNAVAILABLE; an AggregateError of several
 */
export async function withDependencies(
  files: readonly ChartFile[],
  options: DependencyOptions,
): Promise<readonly ChartFile[]> {
  const chart = readDependencies(files)
  if (!chart || chart.wanted.length === 0) return files
  const locked = lockedVersions(chart, options)
  const there = await subchartsOf(files, options)
  const chosen: ChartDependency[] = []
  let result = files
  for (const [i, dependency] of chart.wanted.entries()) {
    options.signal?.throwIfAborted()
    const { version, added } = await choose(dependency, locked?.[i], there, options)
    chosen.push({ name: dependency.name, version, repository: dependency.repository })
    if (added) result = [...result, { path: `charts/${dependency.name}-${version}.tgz`, bytes: added }]
  }
  const outdated = there.filter(({ name, version }) => isReplaced(name, version, chosen))
  result = result.filter(({ path }) => !outdated.some(one => path === one.path || path.startsWith(`${one.path}/`)))
  return withLock(result, chart, chosen, options)
}

interface Wanted {
  readonly metadata: ChartMetadata
  readonly wanted: readonly ChartDependency[]
  readonly lockFile: string
  readonly lock: DependencyFile | undefined
}

/** undefined for a chart that cannot be read. */
function readDependencies(files: readonly ChartFile[]): Wanted | undefined {
  const findings: Findings = { problems: [], warnings: [] }
  const bytesOf = (name: string): Uint8Array | undefined => files.find(({ path }) => path === name)?.bytes
  const chartYaml = bytesOf('Chart.yaml')
  if (!chartYaml) return undefined
  const metadata = parseChartYaml(chartYaml, 'Chart.yaml', findings)
  const requirements = bytesOf('requirements.yaml')
  const listed = requirements && parseDependencyFile(requirements, 'requirements.yaml', findings).dependencies
  const wanted = listed && listed.length > 0 ? listed : (metadata.dependencies ?? [])
  const lockFile = metadata.apiVersion === 'v1' ? 'requirements.lock' : 'Chart.lock'
  const lockBytes = bytesOf(lockFile)
  const lock = lockBytes && parseDependencyFile(lockBytes, lockFile, findings)
  return findings.problems.length > 0 ? undefined : { metadata, wanted, lockFile, lock }
}

/** For each dependency what the lock file has chosen; undefined where the newest are to be taken. */
function lockedVersions(
  { wanted, lock, lockFile, metadata }: Wanted,
  { mode, onNotice }: DependencyOptions,
): readonly (string | undefined)[] | undefined {
  if (mode === 'update') return undefined
  if (!lock) {
    onNotice(
      `there is no ${lockFile}: the newest dependencies that fit are taken; keep one with helm dependency update`,
    )
    return undefined
  }
  const digests = [
    lockDigest(wanted, lock.dependencies),
    ...(metadata.apiVersion === 'v1' ? [oldLockDigest(wanted)] : []),
  ]
  if (!digests.includes(lock.digest)) {
    throw new OciPublishError('LOCK_OUTDATED', `${lockFile} is not of the dependencies that the chart has now`, {
      hint: 'run helm dependency update, or set "chart-dependencies: update"',
    })
  }
  // In the order of the chart; by name, should somebody have sorted them.
  return wanted.map(({ name }, i) => {
    const same = lock.dependencies[i]
    return (same?.name === name ? same : lock.dependencies.find(one => one.name === name))?.version
  })
}

/** A chart in charts/. */
interface Subchart {
  readonly name: string
  readonly version: string
  /** Of its folder or its package. */
  readonly path: string
}

async function subchartsOf(files: readonly ChartFile[], { signal }: Abortable): Promise<readonly Subchart[]> {
  const found: Subchart[] = []
  for (const { path, bytes } of files) {
    const [, at] = /^(charts\/[^/]+)\/Chart\.yaml$/.exec(path) ?? []
    if (at !== undefined) found.push(...subchart(bytes, at))
    if (!/^charts\/[^/]+\.tgz$/.test(path)) continue
    const inside = await filesOf(bytes, path, { signal })
    found.push(...subchart(inside.find(file => file.path === 'Chart.yaml')?.bytes, path))
  }
  return found
}

function subchart(bytes: Uint8Array | undefined, path: string): readonly Subchart[] {
  if (!bytes) return []
  const { name, version } = parseChartYaml(bytes, path, { problems: [], warnings: [] })
  return [{ name, version, path }]
}

async function filesOf(archive: Uint8Array, where: string, { signal }: Abortable): Promise<readonly ChartFile[]> {
  // Limits and everything else are checked with the whole chart.
  return readChartArchive(archive, where, { problems: [], warnings: [] }, { allowLargeFiles: true, signal })
}

interface Choice {
  readonly version: string
  /** The package, where charts/ has it not. */
  readonly added?: Uint8Array
}

async function choose(
  dependency: ChartDependency,
  locked: string | undefined,
  there: readonly Subchart[],
  options: DependencyOptions,
): Promise<Choice> {
  const { name, repository, version: range = '' } = dependency
  const own = there.filter(one => one.name === name)
  // A chart that is kept in charts/ has no repository; whether it is there is checked with the chart.
  if (repository === '') return { version: own[0]?.version ?? range }
  if (locked !== undefined && own.some(({ version }) => version === locked)) return { version: locked }
  try {
    const source = options.sources(dependency, options.folder)
    const version = locked ?? (await newest(dependency, await source.versions(range, options)))
    if (own.some(one => one.version === version)) return { version }
    const added = await source.fetch(version, options)
    const [fetched] = subchart(
      (await filesOf(added, name, options)).find(({ path }) => path === 'Chart.yaml')?.bytes,
      name,
    )
    if (fetched?.name !== name || fetched.version !== version) {
      throw new Error(`what came is ${fetched ? `${fetched.name} ${fetched.version}` : 'no chart'}`)
    }
    return { version, added }
  } catch (error) {
    options.signal?.throwIfAborted()
    const wanted = `${name} ${locked ?? range}`.trim()
    throw new OciPublishError(
      'DEPENDENCY_UNAVAILABLE',
      `the dependency ${wanted} cannot be had from ${repository}: ${messageOf(error)}`,
      { cause: error, hint: error instanceof OciPublishError ? error.hint : undefined },
    )
  }
}

async function newest({ version: range = '' }: ChartDependency, versions: readonly string[]): Promise<string> {
  const found = highestIn(range.trim(), versions)
  if (found !== undefined) return await Promise.resolve(found)
  const some = versions.slice(0, 5).join(', ')
  throw new Error(versions.length === 0 ? 'it has no versions' : `no version fits ${range}; there are ${some}`)
}

/** Whether a chart of charts/ has been chosen in another version, and nobody wants it in this one. */
function isReplaced(name: string, version: string, chosen: readonly ChartDependency[]): boolean {
  const same = chosen.filter(one => one.name === name && one.repository !== '')
  return same.length > 0 && !same.some(one => one.version === version)
}

function withLock(
  files: readonly ChartFile[],
  { wanted, lock, lockFile }: Wanted,
  chosen: readonly ChartDependency[],
  { mode, created, onNotice }: DependencyOptions,
): readonly ChartFile[] {
  const digest = lockDigest(wanted, chosen)
  if (lock && (mode === 'build' || lock.digest === digest)) return files
  onNotice(`dependencies: ${chosen.map(({ name, version = '' }) => `${name} ${version}`).join(', ')}`)
  const quoted = (text: string | undefined): string => JSON.stringify(text ?? '')
  const lines = [
    'dependencies:',
    ...chosen.flatMap(({ name, repository, version }) => [
      `- name: ${quoted(name)}`,
      `  repository: ${quoted(repository)}`,
      `  version: ${quoted(version)}`,
    ]),
    `digest: ${digest}`,
    `generated: ${quoted(new Date((created ?? 0) * 1000).toISOString().replace('.000Z', 'Z'))}`,
    '',
  ]
  const written: ChartFile = { path: lockFile, bytes: new TextEncoder().encode(lines.join('\n')) }
  return [...files.filter(({ path }) => path !== lockFile), written]
}
