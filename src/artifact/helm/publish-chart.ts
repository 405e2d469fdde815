import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { allOrErrors } from '../../async/all-or-errors.ts'
import type { Abortable } from '../../async/abortable.ts'
import { namesOf } from '../../content/names.ts'
import type { Output } from '../../content/places.ts'
import type { Target } from '../../content/ports.ts'
import type { BeforeTags, Untagged } from '../../content/untagged.ts'
import type { OnImageCopyEvent } from '../../copy/event.ts'
import { tagsLeft, type TaggedPlace } from '../../copy/existing-tags.ts'
import { planCopy } from '../../copy/plan.ts'
import type { OnExistingTag } from '../../copy/plan-tags.ts'
import { targetReport, type TargetReport } from '../../copy/target-report.ts'
import { InputError, messageOf, OciPublishError } from '../../errors.ts'
import { resolveSource } from '../../files/source-path.ts'
import type { Descriptor } from '../../oci/descriptor.ts'
import type { Digest } from '../../oci/digest.ts'
import { contentOf, pushArtifact } from '../push-artifact.ts'
import type { Chart } from './chart.ts'
import type { ChartSources } from './chart-sources.ts'
import { chartArtifact, type ChartArtifact } from './chart-manifest.ts'
import { withDependencies, type DependencyOptions } from './dependencies.ts'
import { holdsSameChart } from './existing-chart.ts'
import { packageChart } from './package-chart.ts'
import { signChart } from './provenance.ts'
import { readChart, type ReadChartOptions } from './read-chart.ts'
import { readSigningKey, type KeySource } from './signing-key.ts'
import { withValues, type ValueChange } from './values.ts'

/** A chart to publish, understood and checked as far as that goes without looking at it. */
export interface ChartRequest {
  /** Folder or package. */
  readonly path: string
  /** What it may not leave by a symlink; the working directory unless given. */
  readonly context?: string
  /** Take a chart behind a symlink that leads out of the context. */
  readonly followLinks?: boolean
  readonly read: Omit<ReadChartOptions, 'signal' | 'complete'>
  /** Whether dependencies that are not there are fetched: as Chart.lock has chosen them, or the newest that fit. */
  readonly dependencies: 'off' | 'build' | 'update'
  /** What to write into values.yaml. */
  readonly values: readonly ValueChange[]
  /** Where a chart of this name goes. Tags are left out: a chart has that of its version. */
  readonly outputsFor: (name: string) => readonly Output[]
  readonly onExistingTag: OnExistingTag
  readonly signingKey: KeySource | undefined
  /** Seconds since 1970, when the user set them. */
  readonly sourceDateEpoch: number | undefined
  readonly dryRun: boolean
}

export interface ChartDeps {
  /** Only builds; nothing is touched before the first call. */
  readonly openTarget: (output: Output) => Target
  /** Seconds since 1970 of the commit that a directory is at, undefined where that cannot be known. */
  readonly commitTime: (directory: string, options: Abortable) => Promise<number | undefined>
  /** Where dependencies come from. */
  readonly sources: ChartSources
  readonly onEvent: OnImageCopyEvent
  /** Told of the chart also where it was there already. */
  readonly beforeTags?: BeforeTags | undefined
}

export interface PublishedChart {
  readonly name: string
  readonly version: string
  readonly appVersion?: string
  readonly digest: Digest
  /** `host/repository:tag@digest`, one for each name. */
  readonly refs: readonly string[]
  /** Command lines that get it from its registries. */
  readonly commands: readonly string[]
}

/** What happened to a chart. */
export interface ChartReport {
  /** What the tag points at, at the first target. */
  readonly digest: Digest
  readonly mediaType: string
  readonly size: number
  /** `host/repository:tag@digest`, one for each name. */
  readonly refs: readonly string[]
  /** `host/repository:tag`. */
  readonly tags: readonly string[]
  readonly chart: PublishedChart
  readonly targets: readonly TargetReport[]
  readonly dryRun: boolean
}

/**
 * Publishes a chart as helm's own push does, under the tag of its version, to every target. A target that has the chart
 * under that tag is left alone, whoever pushed it, whatever its annotations are; another chart there is an error, unless
 * the request says what to do.
 *
 * @throws {OciPublishError} INVALID_CHART, INVALID_KEY, TAG_EXISTS
 * @throws {AggregateError} when several things failed; single failures as they are
 */
export async function publishChart(request: ChartRequest, deps: ChartDeps, io: Abortable = {}): Promise<ChartReport> {
  const folder = await folderOf(request)
  const created = request.sourceDateEpoch ?? (await deps.commitTime(folder, io))
  const onNotice = (text: string): void => {
    deps.onEvent({ type: 'notice', text: `chart ${request.path}: ${text}` })
  }
  const chart = await loadChart(request, { sources: deps.sources, created, onNotice }, io)
  for (const text of chart.warnings) deps.onEvent({ type: 'notice', text: `chart ${chart.metadata.name}: ${text}` })
  const artifact = await composeChart(chart, request, created, io)
  const places = await allOrErrors(
    request.outputsFor(chart.metadata.name).map(async output => look(output, artifact, request, deps, io)),
  )
  const settled = settle(places, artifact, request, deps.onEvent)
  const targets = request.dryRun
    ? await allOrErrors(settled.map(one => plan(one, artifact, io)))
    : await send(settled, artifact, deps, io)
  return reportOf(chart, settled, targets, request)
}

/**
 * Does of `publishChart` what does not touch a registry that is published to: whatever is wrong with the chart is found.
 *
 * @throws {OciPublishError} INVALID_CHART, INVALID_KEY
 */
export async function checkChart(
  request: ChartRequest,
  { sources }: Pick<ChartDeps, 'sources'>,
  io: Abortable = {},
): Promise<void> {
  await folderOf(request)
  const chart = await loadChart(request, { sources, created: undefined, onNotice: () => undefined }, io)
  request.outputsFor(chart.metadata.name)
  await composeChart(chart, request, undefined, io)
}

async function loadChart(
  { path, read, values, dependencies: mode }: ChartRequest,
  how: Pick<DependencyOptions, 'sources' | 'created' | 'onNotice'>,
  io: Abortable,
): Promise<Chart> {
  const complete: ReadChartOptions['complete'] =
    mode === 'off' ? undefined : files => withDependencies(files, { mode, folder: path, ...how, ...io })
  return withValues(await readChart(path, { ...read, complete, ...io }), values)
}

/** @throws {InputError} where there is nothing at the path, or a symlink that leads out */
async function folderOf({ path, context = '.', followLinks }: ChartRequest): Promise<string> {
  try {
    resolveSource(path, { context, followLinks })
    return (await stat(path)).isDirectory() ? path : dirname(path)
  } catch (error) {
    const isOurs = error instanceof OciPublishError
    const problem = isOurs ? error.message : `${path} is not there, or cannot be read (${messageOf(error)})`
    const hint = isOurs ? error.hint : undefined
    throw new InputError([{ input: 'chart', problem, ...(hint !== undefined && { hint }) }], { cause: error })
  }
}

async function composeChart(
  chart: Chart,
  { signingKey }: ChartRequest,
  created: number | undefined,
  io: Abortable,
): Promise<ChartArtifact> {
  const content = await packageChart(chart, io)
  const { digest } = content.descriptor
  const key = signingKey && (await readSigningKey(signingKey, io))
  const provenance = key && (await signChart(chart.metadata, digest, key, { created }))
  return chartArtifact(chart, content, { created, provenance })
}

/** A target, and what it holds under the chart's tag. */
interface Place {
  readonly output: Output
  readonly target: Target
  readonly tagged: Descriptor | undefined
  /** Whether that is this chart. */
  readonly isSame: boolean
}

async function look(
  output: Output,
  artifact: ChartArtifact,
  { signingKey, onExistingTag }: ChartRequest,
  { openTarget }: ChartDeps,
  io: Abortable,
): Promise<Place> {
  const target = openTarget(output)
  const found = await holdsSameChart(target, artifact, {
    signed: signingKey !== undefined,
    exactly: onExistingTag === 'overwrite',
    ...io,
  })
  return { output: { ...output, tags: [artifact.tag] }, target, tagged: found?.root, isSame: found?.isSame === true }
}

/** What is decided for one target: `root` is what its tag points at in the end. */
interface Settled extends Place {
  readonly root: Descriptor
  readonly send: boolean
}

/** @throws {OciPublishError} TAG_EXISTS */
function settle(
  places: readonly Place[],
  { manifest, tag }: ChartArtifact,
  { onExistingTag }: ChartRequest,
  onEvent: OnImageCopyEvent,
): readonly Settled[] {
  const wanted = manifest.descriptor
  const tagged = places.map(({ target, tagged, isSame }) => ({
    place: target.place,
    tags: new Map([[tag, isSame ? wanted.digest : tagged?.digest]]),
  }))
  const left = leftOf(tagged, wanted.digest, onExistingTag, onEvent)
  return places.map((place, i) => {
    const stays = place.isSame || left[i]?.has(tag) === true
    if (!stays || !place.tagged) return { ...place, root: wanted, send: true }
    if (place.isSame && place.tagged.digest !== wanted.digest) {
      const text = `${place.target.place}:${tag} is this chart already, as ${place.tagged.digest}: nothing is sent`
      onEvent({ type: 'notice', text })
    }
    return { ...place, root: place.tagged, send: false }
  })
}

/** @throws {OciPublishError} TAG_EXISTS */
function leftOf(
  tagged: readonly TaggedPlace[],
  wanted: Digest,
  onExistingTag: OnExistingTag,
  onEvent: OnImageCopyEvent,
): readonly ReadonlySet<string>[] {
  try {
    return tagsLeft(tagged, wanted, onExistingTag, text => {
      onEvent({ type: 'notice', text })
    })
  } catch (error) {
    if (!(error instanceof OciPublishError)) throw error
    throw new OciPublishError(error.code, `this version has been published with other content: ${error.message}`, {
      hint: 'give it another version (chart-version), or set "on-existing-tag: skip" or "overwrite"; nothing of it was sent',
    })
  }
}

const none = { count: 0, bytes: 0 }

function untouched({ target, output, root }: Settled): TargetReport {
  return { place: target.place, tags: output.tags, sent: none, mounted: none, existing: { count: 1, bytes: root.size } }
}

async function plan(one: Settled, artifact: ChartArtifact, io: Abortable): Promise<TargetReport> {
  const steps = one.send
    ? await planCopy(contentOf(artifact), artifact.manifest.descriptor, one.target, io)
    : [{ do: 'keep', descriptor: one.root, bytes: 0 } as const]
  return targetReport(one.target.place, one.output.tags, { steps })
}

/** Content goes everywhere before a tag moves anywhere. */
async function send(
  settled: readonly Settled[],
  artifact: ChartArtifact,
  { onEvent, beforeTags }: ChartDeps,
  io: Abortable,
): Promise<readonly TargetReport[]> {
  onEvent({ type: 'step', step: 'push', text: `Chart ${artifact.name}, ${artifact.manifest.descriptor.digest}` })
  const reports = await allOrErrors(
    settled.map(async one => {
      if (!one.send) return untouched(one)
      const { place } = one.target
      const result = await pushArtifact(one.target, artifact, {
        onEvent: event => {
          onEvent({ ...event, place })
        },
        ...io,
      })
      return targetReport(place, one.output.tags, { result })
    }),
  )
  for (const untagged of untaggedOf(settled)) await beforeTags?.(untagged, io)
  onEvent({ type: 'step', step: 'tags', text: 'Tag of the chart' })
  await allOrErrors(
    settled.map(async one => {
      if (!one.send) return
      await one.target.tag(artifact.manifest, one.output.tags, io)
      await one.target.close?.(io)
      onEvent({ type: 'tagged', place: one.target.place, tags: one.output.tags })
    }),
  )
  return reports
}

/** The chart under each of its digests: where it was there already, it may have another one. */
function untaggedOf(settled: readonly Settled[]): readonly Untagged[] {
  const byDigest = new Map<Digest, Settled[]>()
  for (const one of settled) byDigest.set(one.root.digest, [...(byDigest.get(one.root.digest) ?? []), one])
  return [...byDigest.values()].flatMap(places => {
    const [first] = places
    return first ? [{ root: first.root, platforms: [], places }] : []
  })
}

function reportOf(
  { metadata: { name, version, appVersion } }: Chart,
  settled: readonly Settled[],
  targets: readonly TargetReport[],
  { dryRun }: ChartRequest,
): ChartReport {
  const [first] = settled
  if (!first) throw new TypeError('a chart without a place to go to') // a request without one is refused
  const { digest, mediaType, size } = first.root
  const names = settled.flatMap(({ output, root }) => namesOf(output).map(({ ref }) => ({ ref, root })))
  const refs = names.map(({ ref, root }) => `${ref}@${root.digest}`)
  const commands = settled.flatMap(({ output }) => pullCommand(output, version))
  return {
    ...{ digest, mediaType, size, refs },
    tags: names.map(({ ref }) => ref),
    chart: { name, version, ...(appVersion !== undefined && { appVersion }), digest, refs, commands },
    targets,
    dryRun,
  }
}

/** With `--version`, because a tag in the reference is of no use where the version has build metadata. */
function pullCommand(output: Output, version: string): readonly string[] {
  if (output.kind !== 'registry') return []
  const { host, repository } = output.image
  return [`helm pull oci://${host === 'docker.io' ? 'registry-1.docker.io' : host}/${repository} --version ${version}`]
}
