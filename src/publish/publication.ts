import type * as Charts from '../artifact/helm/publish-chart.ts'
import type { ChartDeps, ChartReport } from '../artifact/helm/publish-chart.ts'
import type { Abortable } from '../async/abortable.ts'
import { InputError, type InputProblem } from '../errors.ts'
import { asksForArtifact } from './asks-for-artifact.ts'
import { attachEverywhere, attachmentProblems, attachmentsOf, withoutImage, type Attachments } from './attachments.ts'
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
  const attachments = attachmentsOf(values)
  if (asksForArtifact(values)) {
    refuse(withoutImage(attachments))
    const { publishFiles } = await import('./publish-files.ts') // loaded when it is needed, as charts are
    return publishFiles(values, deps, io)
  }
  const kinds = kindsOf(values)
  if (!kinds.chart) return publishImage(values, attachments, deps, io)
  if (!kinds.image) refuse(withoutImage(attachments))
  const parsed = parseChart(values, deps.facts, kinds.image)
  if (parsed.problems.length > 0) {
    throw new InputError([...(kinds.image ? parseRequest(values, deps.facts).problems : []), ...parsed.problems])
  }
  for (const text of parsed.notices) deps.onEvent({ type: 'notice', text })
  return kinds.image ? publishBoth(values, { parsed, attachments }, deps, io) : publishAlone(parsed, deps, io)
}

/** @throws {InputError} unless there are no problems */
function refuse(problems: readonly InputProblem[]): void {
  if (problems.length > 0) throw new InputError(problems)
}

/** An image, and what is to hang on its platforms. */
async function publishImage(
  values: FieldValues,
  attachments: Attachments,
  deps: PublishDeps,
  io: Abortable,
): Promise<PublishReport> {
  const { files, sbom, problems: wrong } = attachments
  if (files.length === 0 && !sbom && wrong.length === 0) return publish(values, deps, io)
  const problems = await attachmentProblems(attachments, deps, io)
  if (problems.length > 0) throw new InputError([...parseRequest(values, deps.facts).problems, ...problems])
  const image = await publish(values, deps, io)
  return { ...image, attached: await attachEverywhere(attachments, image, deps, io) }
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
  { parsed, attachments }: { readonly parsed: ParsedChart; readonly attachments: Attachments },
  deps: PublishDeps,
  io: Abortable,
): Promise<PublishReport> {
  const { checkChart, publishChart, chartDeps } = await loadCharts(deps)
  // A chart that cannot be published is found out before the image is.
  const request = parsed.requestFor(STAND_IN)
  if (parsed.needsImage) await checkChart(request, chartDeps, io)
  else await publishChart({ ...request, dryRun: true }, { ...chartDeps, onEvent: () => undefined }, io)
  const image = await publishImage(values, attachments, deps, io)
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
