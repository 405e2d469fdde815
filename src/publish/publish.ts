import { allOrErrors } from '../async/all-or-errors.ts'
import type { Abortable } from '../async/abortable.ts'
import { noCache } from '../content/cache.ts'
import type { BeforeTags, Untagged } from '../content/untagged.ts'
import { copyGraph } from '../copy/copy.ts'
import { planCopy } from '../copy/plan.ts'
import { targetReport, type TargetReport } from '../copy/target-report.ts'
import { build, type Built } from './build.ts'
import { contentOf } from './content-of.ts'
import type { PublishDeps } from './deps.ts'
import { mayBeRefused, respectTags } from './existing-tags.ts'
import type { FieldValues } from './fields.ts'
import { rememberLayers } from './known-layers.ts'
import { mountsFor, plannedMountsFor } from './mounts.ts'
import { parseRequest } from './parse-request.ts'
import { planTags, tagsToMove } from '../copy/plan-tags.ts'
import type { IsSigned } from './previous.ts'
import { prepare, type Prepared, type PreparedTarget } from './prepare.ts'
import { recorded } from './recorded.ts'
import { reportOf } from './report-of.ts'
import type { PublishReport } from './report.ts'
import { sendAhead } from './send-ahead.ts'
import { shareHosts } from './share-hosts.ts'
import { vouches } from './vouches.ts'

export interface PublishOptions extends Abortable {
  readonly beforeTags?: BeforeTags | undefined
  /** Whether the signer of this run has signed a manifest: its layers are what they say they are. */
  readonly isSigned?: IsSigned | undefined
}

/**
 * Publishes what the inputs ask for: layers are made or known, content goes to every target, and only when everything is
 * everywhere the tags move.
 *
 * @throws {InputError} with all problems of the request, before any work
 * @throws {AggregateError} when several things failed; single failures as they are
 */
export async function publish(
  values: FieldValues,
  given: PublishDeps,
  { beforeTags, isSigned, ...io }: PublishOptions = {},
): Promise<PublishReport> {
  const vouching = vouches(values)
  // Any job that writes caches, or runs on the same machine, may have written what is in there.
  const deps = vouching ? { ...given, cache: noCache } : given
  const parsed = parseRequest(values, deps.facts)
  for (const text of parsed.notices) deps.onEvent({ type: 'notice', text })
  const looked = await prepare(parsed, deps, { vouches: vouching, isSigned, ...io })
  const begun = {
    ...looked,
    targets: shareHosts(looked.targets).map(one => ({ ...one, target: recorded(one) })),
  }

  deps.onEvent({ type: 'step', step: 'layers', text: 'Layers' })
  const ahead = sendAhead(mayBeRefused(begun) ? { ...begun, targets: [] } : begun, deps, io)
  const signal = AbortSignal.any([ahead.failed, ...(io.signal ? [io.signal] : [])])
  const built = await build(begun, deps, ahead.send, { signal }).finally(ahead.settled)
  const prepared = respectTags(begun, built.root.descriptor.digest, deps.onEvent)
  const targets = prepared.request.dryRun
    ? await allOrErrors(prepared.targets.map((one, i) => plan(one, begun.targets[i] ?? one, built, prepared, io)))
    : await send(prepared, built, deps, { beforeTags, ...io })
  return reportOf(prepared, built, targets)
}

/** What `send` would do: the same plans, carried out by nobody. @param asked with the tags that stay where they are too */
async function plan(
  one: PreparedTarget,
  asked: PreparedTarget,
  built: Built,
  prepared: Prepared,
  io: Abortable,
): Promise<TargetReport> {
  const mountFrom = plannedMountsFor(one, prepared)
  const steps = await planCopy(contentOf(built), built.root.descriptor, one.target, { mountFrom, ...io })
  const tagSteps = planTags(built.root.descriptor.digest, asked.previous.tags, prepared.request.onExistingTag)
  return targetReport(one.target.place, one.output.tags, { steps, tagSteps })
}

async function send(
  prepared: Prepared,
  built: Built,
  deps: PublishDeps,
  { beforeTags, ...io }: Omit<PublishOptions, 'isSigned'>,
): Promise<readonly TargetReport[]> {
  const { onEvent, cache } = deps
  onEvent({ type: 'step', step: 'push', text: `Content of ${built.root.descriptor.digest}` })
  const results = await allOrErrors(
    prepared.targets.map(async one => {
      const { place } = one.target
      const result = await copyGraph(contentOf(built), built.root.descriptor, one.target, {
        mountFrom: mountsFor(one, prepared),
        onEvent: event => {
          onEvent({ ...event, place })
        },
        ...io,
      })
      return { one, result }
    }),
  )
  await beforeTags?.(untaggedOf(prepared, built), io)
  onEvent({ type: 'step', step: 'tags', text: 'Tags' })
  await allOrErrors(
    results.map(async ({ one: { target, previous } }) => {
      const tags = tagsToMove(planTags(built.root.descriptor.digest, previous.tags, prepared.request.onExistingTag))
      // Without a name too: a layout lists what it holds, a registry has nothing to do.
      if (tags.length > 0 || previous.tags.size === 0) await target.tag(built.root, tags, io)
      await target.close?.(io)
      onEvent({ type: 'tagged', place: target.place, tags: [...previous.tags.keys()] })
    }),
  )
  const layers = built.images.flatMap(image => image.layers).filter(({ origin }) => origin !== 'base')
  const known = layers.map(({ diffID, blob }) => [diffID, blob.descriptor] as const)
  for (const { one } of results) await rememberLayers(cache, one.target.place, known, io)
  return results.map(({ one, result }) => targetReport(one.target.place, one.output.tags, { result }))
}

function untaggedOf({ base, targets }: Prepared, { root, images }: Built): Untagged {
  return {
    root: root.descriptor,
    platforms: images.map(({ platform, manifest }) => ({ platform, descriptor: manifest.descriptor })),
    base: base && { reference: base.reference, digest: base.image.root.digest },
    places: targets.map(({ target, output }) => ({ target, output })),
  }
}
