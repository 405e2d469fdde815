import type { Abortable } from '../async/abortable.ts'
import type { Located, Output } from '../content/places.ts'
import type { Target } from '../content/ports.ts'
import { withDocumentsOnce } from '../content/documents-once.ts'
import { InputError, OciPublishError, type InputProblem } from '../errors.ts'
import { namedLayers, resolveBase, type BaseImage } from '../image/base.ts'
import { emptyTree } from '../layer/base-tree.ts'
import { loadBaseTrees } from '../layer/load-tree.ts'
import type { LayerSpec } from '../layer/line.ts'
import { loadReadyTrees } from '../layer/ready-trees.ts'
import { needsBaseTree, planLayers, type LayerRecipe, type LayerTarget, type RecipePlan } from '../layer/recipe.ts'
import { formatPlatform } from '../oci/platform.ts'
import { formatReference, type Reference } from '../oci/reference.ts'
import type { PublishDeps } from './deps.ts'
import type { ParsedRequest } from './parse-request.ts'
import { verifyRoot } from './verify-root.ts'
import { readPrevious, type IsSigned, type Previous, type PreviousOptions } from './previous.ts'
import type { PublishRequest } from './request.ts'

export interface PreparedTarget {
  readonly output: Output
  readonly target: Target
  readonly previous: Previous
}

interface PreparedBase {
  readonly reference: Reference
  readonly located: Located
  readonly image: BaseImage
}

/** Everything that is known before the first byte is made or sent. */
export interface Prepared {
  readonly request: PublishRequest
  /** Whether a name is put to what is published: then only what is proven is reused. */
  readonly vouches: boolean
  readonly base: PreparedBase | undefined
  readonly targets: readonly PreparedTarget[]
  /** For each platform, a recipe a line. */
  readonly recipes: readonly (readonly LayerRecipe[])[]
  /** Seconds since 1970, for `created`. */
  readonly created: number
}

interface PrepareOptions extends Abortable {
  readonly vouches: boolean
  readonly isSigned: IsSigned | undefined
}

/**
 * Looks at files and registries and changes nothing: whatever is wrong with a request is found here, and told at once.
 *
 * @throws {InputError} for what the user has to mend; an AggregateError where registries have more to say
 */
export async function prepare(
  parsed: ParsedRequest,
  deps: PublishDeps,
  { vouches, isSigned, ...io }: PrepareOptions,
): Promise<Prepared> {
  const { request } = parsed
  if (parsed.problems.length > 0) {
    // Files can be looked at all the same; for what the base says of them it is too early.
    const targets = request.platforms.map(platform => ({ platform, tree: emptyTree }))
    const seen = await planned(request, withoutNames(request), targets, deps, io)
    throw new InputError([...parsed.problems, ...seen.problems])
  }
  const [base, targets, commitTime] = await Promise.allSettled([
    prepareBase(request, deps, io),
    Promise.allSettled(
      request.outputs.map(output => prepareTarget(output, deps, { isSigned: vouches ? isSigned : undefined, ...io })),
    ),
    request.sourceDateEpoch ?? deps.commitTime(request.context, io),
  ])
  io.signal?.throwIfAborted()

  const failures: unknown[] = []
  const ready = <T>(settled: PromiseSettledResult<T>): T | undefined => {
    if (settled.status === 'fulfilled') return settled.value
    failures.push(settled.reason)
    return undefined
  }
  const preparedTargets = (ready(targets) ?? []).map(ready).filter(target => target !== undefined)
  const preparedBase = ready(base)
  const created = ready(commitTime) ?? 0
  const { recipes, problems } = await planned(
    request,
    preparedBase ? request.layers : withoutNames(request),
    preparedBase?.layered ?? request.platforms.map(platform => ({ platform, tree: emptyTree })),
    deps,
    io,
  )
  refuse(problems, failures)
  return { request, vouches, base: preparedBase?.base, targets: preparedTargets, recipes, created }
}

async function planned(
  { platforms, context, followLinks, sourceDateEpoch }: PublishRequest,
  lines: readonly LayerSpec[],
  targets: readonly LayerTarget[],
  { cache }: PublishDeps,
  io: Abortable,
): Promise<RecipePlan> {
  const readyTrees = await loadReadyTrees(lines, platforms, { context, followLinks, cache, ...io })
  return planLayers(lines, targets, { context, followLinks, sourceDateEpoch, readyTrees })
}

/** Owners by name are looked up in the base; without one at hand they are nothing to complain of. */
function withoutNames({ layers }: PublishRequest): PublishRequest['layers'] {
  return layers.map(spec => (spec.kind === 'files' ? { ...spec, owner: undefined } : spec))
}

/** What the user has to mend comes first; both kinds are told. */
function refuse(problems: readonly InputProblem[], failures: readonly unknown[]): void {
  const lacking = failures.filter(failure => isCode(failure, 'BASE_LACKS_PLATFORM'))
  const all = [...problems, ...lacking.map(baseProblem)]
  const others = failures.filter(failure => !lacking.includes(failure))
  const errors = all.length > 0 ? [new InputError(all), ...others] : others
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) throw new AggregateError(errors, 'the publication cannot begin')
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof OciPublishError && error.code === code
}

function baseProblem(error: unknown): InputProblem {
  const { message, hint } = error as OciPublishError
  return { input: 'base-image', problem: message, hint }
}

interface LayeredBase {
  readonly base: PreparedBase | undefined
  readonly layered: readonly LayerTarget[]
}

async function prepareBase(request: PublishRequest, deps: PublishDeps, io: Abortable): Promise<LayeredBase> {
  const { platforms, layers, base: reference, verifyBase } = request
  if (!reference) return { base: undefined, layered: platforms.map(platform => ({ platform, tree: emptyTree })) }
  const located = deps.locate(reference)
  let { name } = located
  if (verifyBase.length > 0) {
    const root = await located.source.resolve(name, io)
    await verifyRoot(reference, root, verifyBase, deps, io)
    name = root.digest // what was verified, whatever the tag means by now
  }
  const image = await resolveBase(located.source, name, platforms, io)
  deps.onEvent({ type: 'step', step: 'base', text: `${formatReference(reference)} is ${image.root.digest}` })
  const trees = needsBaseTree(layers) ? await loadBaseTrees(image.bases.map(namedLayers), deps.cache, io) : []
  const layered = platforms.map((platform, i) => {
    const stands = image.bases[i]?.platform
    if (stands && formatPlatform(stands) !== formatPlatform(platform)) {
      const text = `the base has no ${formatPlatform(platform)}; its ${formatPlatform(stands)} stands in`
      deps.onEvent({ type: 'notice', text })
    }
    return { platform, tree: trees[i] ?? emptyTree }
  })
  return { base: { reference, located, image }, layered }
}

async function prepareTarget(output: Output, deps: PublishDeps, options: PreviousOptions): Promise<PreparedTarget> {
  const target = withDocumentsOnce(deps.openTarget(output))
  return { output, target, previous: await readPrevious(target, output.tags, options) }
}
