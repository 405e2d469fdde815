import type * as Charts from '../artifact/helm/publish-chart.ts'
import type { ChartDeps, ChartReport } from '../artifact/helm/publish-chart.ts'
import type { Abortable } from '../async/abortable.ts'
import { InputError, OciPublishError, distinct, type InputProblem } from '../errors.ts'
import type { PublishDeps } from './deps.ts'
import { fieldNotices, fieldProblems } from './field-problems.ts'
import type { FieldValues } from './fields.ts'
import { kindsOf } from './kinds.ts'
import { parseChart, type ImageNames, type ParsedChart } from './parse-chart.ts'
import { parseFiles, type ParsedFiles } from './parse-files.ts'
import { parseRequest, type ParsedRequest, type RequestFacts } from './parse-request.ts'
import { prepare } from './prepare.ts'
import { publish } from './publish.ts'
import { lookAtReferrers, parseReferrers, readyReferrers, type Referrers, type ReferrerWords } from './referrers.ts'
import type { PublishReport } from './report.ts'

/**
 * Publishes everything that the inputs ask for: an image, a chart, or an image and then the chart that installs it; or,
 * with `files`, an artifact. Where the image fails, nothing of the chart is published.
 *
 * @throws {InputError} with all problems of the request, before any work
 */
export async function publishAll(values: FieldValues, deps: PublishDeps, io: Abortable = {}): Promise<PublishReport> {
  const request = parsePublication(values, deps.facts)
  // Before anything is asked for or loaded: a request with a typo asks nobody for an identity token.
  if (request.problems.length > 0) throw new InputError(await problemsOf(request, values, deps, io))
  for (const text of request.notices) deps.onEvent({ type: 'notice', text })
  const referrers = await readyFor(request, values, deps, io)
  const { image, chart, files } = request
  if (files) return publishArtifact(files, referrers, deps, io)
  if (!chart) {
    const { beforeTags, isSigned, report } = referrers
    return { ...(await publish(values, deps, { beforeTags, isSigned, ...io })), ...report() }
  }
  for (const text of chart.notices) deps.onEvent({ type: 'notice', text })
  return image ? publishBoth(values, { parsed: chart, referrers }, deps, io) : publishAlone(chart, referrers, deps, io)
}

/** A request as far as it is understood without looking at files or registries: a part for each thing to publish. */
interface Publication {
  readonly image: ParsedRequest | undefined
  readonly chart: ParsedChart | undefined
  readonly files: ParsedFiles | undefined
  readonly referrers: ReferrerWords
  /** Of all of it, each told once. */
  readonly problems: readonly InputProblem[]
  /** Of what is common to all kinds. */
  readonly notices: readonly string[]
}

/** Touches nothing. */
function parsePublication(values: FieldValues, facts: RequestFacts): Publication {
  const kinds = kindsOf(values)
  const referrers = parseReferrers(values)
  const image = kinds.image ? parseRequest(values, facts) : undefined
  const chart = kinds.chart ? parseChart(values, facts, kinds.image) : undefined
  const files = kinds.files ? parseFiles(values, facts) : undefined
  const problems = [
    ...(facts.problems ?? []),
    ...fieldProblems(values, kinds),
    ...[image, chart, files].flatMap(one => one?.problems ?? []),
    ...referrers.problems,
  ]
  return { image, chart, files, referrers, problems: distinct(problems), notices: fieldNotices(values) }
}

/** With what is wrong with files, which can be looked at all the same; no registry and no service is asked. */
async function problemsOf(
  { image, chart, files, referrers, problems }: Publication,
  values: FieldValues,
  deps: PublishDeps,
  io: Abortable,
): Promise<readonly InputProblem[]> {
  const quiet = { ...deps, onEvent: () => undefined }
  const looks = [
    image && (() => prepare({ ...image, problems }, quiet, { vouches: false, isSigned: undefined, ...io })),
    chart && (() => checkAlone(chart, quiet, io)),
    files && (() => checkFiles({ ...files, problems }, quiet, io)),
    () => lookAtReferrers(referrers, values, quiet, io),
  ]
  const found: InputProblem[] = [...problems]
  for (const look of looks) {
    try {
      await look?.()
    } catch (error) {
      io.signal?.throwIfAborted()
      // What else fails shows itself when the request is right.
      if (error instanceof InputError) found.push(...error.problems)
    }
  }
  return distinct(found)
}

/** @throws {InputError} with all problems of the request, where what refers to it has some */
async function readyFor(
  request: Publication,
  values: FieldValues,
  deps: PublishDeps,
  io: Abortable,
): Promise<Referrers> {
  try {
    return await readyReferrers(request.referrers, values, deps, io)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw new InputError(await problemsOf({ ...request, problems: error.problems }, values, deps, io))
  }
}

async function checkFiles(files: ParsedFiles, deps: PublishDeps, io: Abortable): Promise<void> {
  const { checkFiles } = await import('./publish-files.ts')
  await checkFiles(files, deps, io)
}

async function publishArtifact(
  files: ParsedFiles,
  { beforeTags, report }: Referrers,
  deps: PublishDeps,
  io: Abortable,
): Promise<PublishReport> {
  const { publishFiles } = await import('./publish-files.ts') // loaded when it is needed, as charts are
  return { ...(await publishFiles(files, deps, { beforeTags, ...io })), ...report() }
}

/** Loaded when it is needed: most runs publish no chart. */
async function loadCharts(deps: PublishDeps): Promise<typeof Charts & { readonly chartDeps: ChartDeps }> {
  const charts = await import('../artifact/helm/publish-chart.ts')
  const { openChartSources } = await import('../artifact/helm/chart-sources.ts')
  return { ...charts, chartDeps: { ...deps, sources: openChartSources(deps) } }
}

/** @throws {InputError} for what is wrong with a chart, as far as nothing has to be downloaded to see it */
async function checkAlone(parsed: ParsedChart, deps: PublishDeps, io: Abortable): Promise<void> {
  if (parsed.problems.length > 0) return // it cannot be put together
  const request = parsed.requestFor(STAND_IN)
  if (request.dependencies !== 'off') return
  const { checkChart, chartDeps } = await loadCharts(deps)
  try {
    await checkChart(request, chartDeps, io)
  } catch (error) {
    if (!(error instanceof OciPublishError) || error instanceof InputError) throw error
    throw new InputError([{ input: 'chart', problem: error.message, hint: error.hint }], { cause: error })
  }
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
