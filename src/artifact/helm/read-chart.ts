import { lstat, realpath, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Abortable } from '../../async/abortable.ts'
import { messageOf, OciPublishError } from '../../errors.ts'
import { readRegularFile } from '../../files/regular-file.ts'
import { resolveSource } from '../../files/source-path.ts'
import { digestOf } from '../../oci/digest.ts'
import { readChartArchive } from './chart-archive.ts'
import { readChartDirectory, type ReadFilesOptions } from './chart-directory.ts'
import { chartFileName, type Chart, type ChartFile, type ChartMetadata, type Findings } from './chart.ts'
import { checkChartFiles } from './check-files.ts'
import { isHelmVersion } from './check-metadata.ts'
import { editChartYaml, type ChartOverrides } from './edit-chart-yaml.ts'
import { MAX_CHART_BYTES } from './file-limits.ts'
import { checkProvenance } from './provenance.ts'

export interface ReadChartOptions extends Abortable, ChartOverrides {
  /** Take files of more than 5 MiB, which only helm 4 reads. Off by default. */
  readonly allowLargeFiles?: boolean | undefined
  /** Refuse what would be a warning. Off by default. */
  readonly strict?: boolean | undefined
  /** Of a folder: gives its files, with those that are to be had from elsewhere. */
  readonly complete?: ((files: readonly ChartFile[]) => Promise<readonly ChartFile[]>) | undefined
}

/**
 * Reads a chart and refuses what helm 3 or helm 4 would refuse to package, all of it at once.
 *
 * A folder is read as `helm package` does. A package (.tgz) is checked likewise and stays byte for byte what it is; a .prov
 * file beside it has to be of it, and comes along.
 *
 * @param path of a folder with a Chart.yaml, or of a .tgz
 * @throws {OciPublishError} INVALID_CHART, with a line for each problem; FILE_UNREADABLE
 */
export async function readChart(path: string, options: ReadChartOptions = {}): Promise<Chart> {
  const { strict = false, allowLargeFiles = false, signal } = options
  signal?.throwIfAborted()
  const findings: Findings = { problems: [], warnings: [] }
  const limits: ReadFilesOptions = { allowLargeFiles, signal }
  const chart = (await isDirectory(path))
    ? await readFolder(path, findings, options, limits)
    : await readPackage(path, findings, options, limits)
  const problems = strict ? [...findings.problems, ...findings.warnings] : findings.problems
  if (chart && problems.length === 0) return { ...chart, warnings: findings.warnings }
  throw new OciPublishError('INVALID_CHART', problems.map(problem => `chart ${path}: ${problem}`).join('\n'))
}

type Read = Omit<Chart, 'warnings'>

async function readFolder(
  path: string,
  findings: Findings,
  { complete, ...overrides }: Pick<ReadChartOptions, 'complete'> & ChartOverrides,
  limits: ReadFilesOptions,
): Promise<Read | undefined> {
  const { version } = overrides
  if (version && !isHelmVersion(version)) {
    findings.problems.push(`the version "${version}" given for it is no semantic version such as 1.2.3`)
  }
  const found = await readChartDirectory(path, findings, limits).catch((error: unknown) => {
    limits.signal?.throwIfAborted()
    throw unreadable(path, error)
  })
  const own = sorted(found.map(file => (file.path === 'Chart.yaml' ? edited(file, overrides) : file)))
  const files = complete ? sorted(await complete(own)) : own
  const metadata = await checkChartFiles(files, '', findings, limits)
  if (!metadata) return undefined
  const folder = basename(await realpath(path))
  if (metadata.name !== folder) {
    findings.warnings.push(`its name is "${metadata.name}", its folder is called "${folder}"`)
  }
  return { metadata, files, archive: undefined, provenance: undefined }
}

async function readPackage(
  path: string,
  findings: Findings,
  { version, appVersion }: ChartOverrides,
  limits: ReadFilesOptions,
): Promise<Read | undefined> {
  const { problems } = findings
  if (version || appVersion) {
    problems.push('is packaged, so its version stays what it is: give its folder for another one')
  }
  const archive = await readWhole(path, limits.signal)
  const files = sorted(await readChartArchive(archive, 'the package', findings, limits))
  const metadata = await checkChartFiles(files, '', findings, limits)
  if (!metadata || problems.length > 0) return undefined
  const provenance = await besides(path, archive, metadata, limits.signal)
  return { metadata, files, archive, provenance }
}

async function besides(
  path: string,
  archive: Uint8Array,
  metadata: ChartMetadata,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  const file = `${path}.prov`
  // It is published as it is, so it may not be a symlink to something else.
  const found = resolveSource(basename(file), { context: dirname(path) })
  if (found === undefined) return undefined
  const provenance = await readWhole(found, signal)
  await checkProvenance(provenance, { fileName: chartFileName(metadata), digest: digestOf(archive), where: file })
  return provenance
}

function edited(file: ChartFile, overrides: ChartOverrides): ChartFile {
  return { path: file.path, bytes: editChartYaml(file.bytes, overrides) }
}

function sorted(files: readonly ChartFile[]): readonly ChartFile[] {
  return files.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    throw unreadable(path, error)
  }
}

async function readWhole(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    signal?.throwIfAborted()
    const real = await realpath(path)
    const found = await lstat(real)
    if (found.size > MAX_CHART_BYTES) throw new Error(`${found.size} bytes, more than the 100 MiB that helm reads`)
    return await readRegularFile(real, found.size, found)
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof OciPublishError) throw error
    throw unreadable(path, error)
  }
}

function unreadable(path: string, cause: unknown): OciPublishError {
  return new OciPublishError('FILE_UNREADABLE', `${path} cannot be read: ${messageOf(cause)}`, { cause })
}
