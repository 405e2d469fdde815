import type * as Charts from '../artifact/helm/publish-chart.ts'
import type { ChartDeps, ChartReport } from '../artifact/helm/publish-chart.ts'
import type { Abortable } from '../async/abortable.ts'
import { InputError, type InputProblem } from '../errors.ts'
import { asksForArtifact } from './asks-for-artifact.ts'
import type { PublishDeps } from './deps.ts'
import type { FieldValues } from './fields.ts'
import { kindsOf } from './kinds.ts'
import { parseChart, type ImageNames, type ParsedChart } from './parse-chart.ts'
import { parseRequest } from './parse-request.ts'
import { publish } from './publish.ts'
import { parseReferrers, readyReferrers, referrerProblems, type Referrers, type ReferrerWords } from './referrers.ts'
import type { PublishReport } from './report.ts'

/**
 * Publishes everything that the inputs ask for: an image, a chart, or an image and then the chart that installs it; or,
 * with `files`, an artifact. Where the image fails, nothing of the chart is published.
 *
 * @throws {InputError} with all problems of the request, before any work
 */
export async function publishAll(values: FieldValues, deps: PublishDeps, io: Abortable = {}): Promise<PublishReport> {
  const words = parseReferrers(values)
  if (asksForArtifact(values)) {
    refuse(referrerProblems(words, false))
    const { publishFiles } = await import('./publish-files.ts') // loaded when it is needed, as charts are
    const { beforeTags, report } = await readyReferrers(words, values, deps, io)
    return { ...(await publishFiles(values, deps, { beforeTags, ...io })), ...report() }
  }
  const kinds = kindsOf(values)
  const wrong = referrerProblems(words, kinds.image)
  if (!kinds.chart) {
    const { beforeTags, isSigned, report } = await readyFor(values, words, deps, io)
    return { ...(await publish(values, deps, { beforeTags, isSigned, ...io })), ...report() }
  }
  const parsed = parseChart(values, deps.facts, kinds.image)
  if (parsed.problems.length > 0 || wrong.length > 0) {
    throw new InputError([
      ...(kinds.image ? parseRequest(values, deps.facts).problems : []),
      ...parsed.problems,
      ...wrong,
    ])
  }
  for (const text of parsed.notices) deps.onEvent({ type: 'notice', text })
  const referrers = await readyFor(values, words, deps, io)
  return kinds.image ? publishBoth(values, { parsed, referrers }, deps, io) : publishAlone(parsed, referrers, deps, io)
}

/** @throws {InputError} unless there are no problems */
function refuse(problems: readonly InputProblem[]): void {
  if (problems.length > 0) throw new InputError(problems)
}

/** @throws {InputError} with all problems of the request, where what refers to it has some */
async function readyFor(
  values: FieldValues,
  words: ReferrerWords,
  deps: PublishDeps,
  io: Abortable,
): Promise<Referrers> {
  try {
    return await readyReferrers(words, values, deps, io)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    const others = kindsOf(values).image ? parseRequest(values, deps.facts).problems : []
    throw new InputError([...others, ...error.problems], { cause: error })
  }
}

/** Loaded when it is needed: most runs publish no chart. */
async function loadCharts(deps: PublishDeps): Promise<typeof Charts & { readonly chartDeps: ChartDeps }> {
  const charts = await import('../artifact/helm/publish-chart.ts')
  const { openChartSources } = await import('../artifact/helm/chart-sources.ts')
  return { ...charts, chartDeps: { ...deps, sources: openChartSources(deps) } }
}

async function publishAlone(
  parsed: ParsedChart,
  { beforeTags, report: referrers }: Referrers,
  deps: PublishDeps,
  io: Abortable,
): Promise<PublishReport> {
  const { publishChart, chartDeps } = await loadCharts(deps)
  const report = await publishChart(parsed.requestFor(undefined), { ...chartDeps, beforeTags }, io)
  return { ...report, imageid: undefined, base: undefined, platforms: [], ...referrers() }
}

async function publishBoth(
  values: FieldValues,
  { parsed, referrers }: { readonly parsed: ParsedChart; readonly referrers: Referrers },
  deps: PublishDeps,
  io: Abortable,
): Promise<PublishReport> {
  const { checkChart, publishChart, chartDeps } = await loadCharts(deps)
  // A chart that cannot be published is found out before the image is.
  const request = parsed.requestFor(STAND_IN)
  if (parsed.needsImage) await checkChart(request, chartDeps, io)
  else await publishChart({ ...request, dryRun: true }, { ...chartDeps, onEvent: () => undefined }, io)
  const { beforeTags, isSigned } = referrers
  const image = await publish(values, deps, { beforeTags, isSigned, ...io })
  const chart = await publishChart(parsed.requestFor(imageNames(image)), { ...chartDeps, beforeTags }, io)
  return { ...together(image, chart), ...referrers.report() }
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
