import type * as Charts from '../artifact/helm/publish-chart.ts'
import type { ChartDeps, ChartReport } from '../artifact/helm/publish-chart.ts'
import type { Abortable } from '../async/abortable.ts'
import { InputError } from '../errors.ts'
import { asksForArtifact } from './asks-for-artifact.ts'
import type { PublishDeps } from './deps.ts'
import type { FieldValues } from './fields.ts'
import { kindsOf } from './kinds.ts'
import { parseChart, type ImageNames, type ParsedChart } from './parse-chart.ts'
import { parseRequest } from './parse-request.ts'
import { publish } from './publish.ts'
import type { PublishReport } from './report.ts'

/**
 * Publishes everything that the inputs ask for: an image, a chart, or an image and then the chart that installs it; or,
 * with `files`, an artifact. Where the image fails, nothing of the chart is published.
 *
 * @throws {InputError} with all problems of the request, before any work
 */
export async function publishAll(values: FieldValues, deps: PublishDeps, io: Abortable = {}): Promise<PublishReport> {
  if (asksForArtifact(values)) {
    const { publishFiles } = await import('./publish-files.ts') // loaded when it is needed, as charts are
    return publishFiles(values, deps, io)
  }
  const kinds = kindsOf(values)
  if (!kinds.chart) return publish(values, deps, io)
  const parsed = parseChart(values, deps.facts, kinds.image)
  if (parsed.problems.length > 0) {
    throw new InputError([...(kinds.image ? parseRequest(values, deps.facts).problems : []), ...parsed.problems])
  }
  for (const text of parsed.notices) deps.onEvent({ type: 'notice', text })
  return kinds.image ? publishBoth(values, parsed, deps, io) : publishAlone(parsed, deps, io)
}

/** Loaded when it is needed: most runs publish no chart. */
async function loadCharts(deps: PublishDeps): Promise<typeof Charts & { readonly chartDeps: ChartDeps }> {
  const charts = await import('../artifact/helm/publish-chart.ts')
  const { openChartSources } = await import('../artifact/helm/chart-sources.ts')
  return { ...charts, chartDeps: { ...deps, sources: openChartSources(deps) } }
}

async function publishAlone(parsed: ParsedChart, deps: PublishDeps, io: Abortable): Promise<PublishReport> {
  const { publishChart, chartDeps } = await loadCharts(deps)
  const report = await publishChart(parsed.requestFor(undefined), chartDeps, io)
  return { ...report, imageid: undefined, base: undefined, platforms: [] }
}

async function publishBoth(
  values: FieldValues,
  parsed: ParsedChart,
  deps: PublishDeps,
  io: Abortable,
): Promise<PublishReport> {
  const { checkChart, publishChart, chartDeps } = await loadCharts(deps)
  // A chart that cannot be published is found out before the image is.
  const request = parsed.requestFor(STAND_IN)
  if (parsed.needsImage) await checkChart(request, chartDeps, io)
  else await publishChart({ ...request, dryRun: true }, { ...chartDeps, onEvent: () => undefined }, io)
  const image = await publish(values, deps, io)
  return together(image, await publishChart(parsed.requestFor(imageNames(image)), chartDeps, io))
}

const STAND_IN: ImageNames = { tag: '0', digest: `sha256:${'0'.repeat(64)}`, repository: 'localhost/image' }

function imageNames({ digest, targets }: PublishReport): ImageNames {
  const tag = targets.flatMap(({ tags }) => tags)[0]
  return { tag, digest, repository: targets[0]?.place ?? '' }
}

function together(image: PublishReport, { refs, tags, targets, chart }: ChartReport): PublishReport {
  return {
    ...image,
    refs: [...image.refs, ...refs],
    tags: [...image.tags, ...tags],
    targets: [...image.targets, ...targets],
    chart,
  }
}
