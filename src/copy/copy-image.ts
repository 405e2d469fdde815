import type { Abortable } from '../async/abortable.ts'
import type { Located, Output } from '../content/places.ts'
import type { Source, Target } from '../content/ports.ts'
import { InputError, OciPublishError } from '../errors.ts'
import { isAttachedTag } from '../oci/attached-tag.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { isManifestType } from '../oci/media-type.ts'
import { formatPlatform } from '../oci/platform.ts'
import { formatReference, type Reference } from '../oci/reference.ts'
import { attachedTagStep } from './attached-tag-step.ts'
import { copyGraph, type CopyOptions, type CopyResult } from './copy.ts'
import type { OnImageCopyEvent } from './event.ts'
import { copyReferrers, planReferrers, type CopiedReferrer } from './copy-referrers.ts'
import { findReferrers } from './find-referrers.ts'
import { mergedResult, mergedSteps } from './merged.ts'
import { planCopy, type CopyStep } from './plan.ts'
import type { CopyRequest } from './request.ts'
import { selectPlatforms } from './select-platforms.ts'
import { resolveIfThere } from '../content/resolve-if-there.ts'

export interface CopyDeps {
  /** Both only build; nothing is touched before the first call. */
  readonly locate: (reference: Reference) => Located
  readonly openTarget: (output: Output) => Target
  readonly onEvent: OnImageCopyEvent
  /** Looks at what the source's name stood for before anything is copied, and throws where that must not be. */
  readonly check?: ((from: Reference, found: Descriptor, io: Abortable) => Promise<void>) | undefined
  /** Where all tags of the source are known: which need not be asked for. */
  readonly hasTag?: ((tag: string) => boolean) | undefined
}

/** What was copied, and how it came to be at the target. */
export interface ImageCopy {
  /** What the source's name stood for. */
  readonly found: Descriptor
  /** What is at the target: the same, or what is left of it. */
  readonly root: Descriptor
  readonly target: Pick<Target, 'place'>
  /** What came along, or would; undefined where nothing was to. It counts in the outcome. */
  readonly referrers?: readonly CopiedReferrer[] | undefined
  /** Of a dry run, the steps that would be done, and where the tags point before them. */
  readonly outcome:
    | { readonly result: CopyResult; readonly steps?: undefined }
    | { readonly steps: readonly CopyStep[]; readonly tagsNow: ReadonlyMap<string, Digest | undefined> }
}

/**
 * Copies an image, an index or an artifact with everything it points at, byte for byte; the tag moves last. What the
 * target has is neither read nor sent. What refers to it comes along where that is asked for, and is found at the target
 * before the tag leads there: nobody who lets in only what is signed sees it without its signature.
 *
 * @throws {InputError} when the source is not what the request says
 * @throws {OciPublishError} UNSUPPORTED where there is no list of referrers, TAG_EXISTS for one of cosign's tags
 * @throws the failure of a part, or an AggregateError of all
 */
export async function copyImage(request: CopyRequest, deps: CopyDeps, io: Abortable = {}): Promise<ImageCopy> {
  const { from, to, platforms, dryRun } = request
  const { onEvent } = deps
  const { source, name, mountDomain, repository } = deps.locate(from)
  const found = await source.resolve(name, io)
  if (!isManifestType(found.mediaType)) {
    throw new OciPublishError(
      'UNSUPPORTED',
      `${formatReference(from)} is of type ${found.mediaType}, which is neither a manifest nor an index`,
    )
  }
  await deps.check?.(from, found, io)
  const selection = await selectPlatforms(source, found, platforms, io)
  const { root, contentOf } = selection
  check(request, root)
  if (root.digest !== found.digest) {
    const kept = platforms.map(formatPlatform).join(', ')
    onEvent({ type: 'notice', text: `the index is rewritten for ${kept}: ${found.digest} becomes ${root.digest}` })
  }
  const onNotice = (text: string): void => {
    onEvent({ type: 'notice', text })
  }
  const attached = request.referrers
    ? await findReferrers(source, selection, { hasTag: deps.hasTag, onNotice, ...io })
    : undefined
  const target = deps.openTarget(to)
  const mayMount = repository !== undefined && mountDomain !== undefined && mountDomain === target.mountDomain
  const options = { mountFrom: mayMount ? () => [repository] : undefined, shallow: true, ...io }
  const stays = request.referrers && (await staysAttached(source, root, target, to.tags, io))
  if (dryRun) {
    const own = await planCopy(contentOf, root, target, options)
    const along = attached && (await planReferrers(attached, source, target, options))
    const steps = along ? mergedSteps([own, along.steps]) : own
    const tagsNow = stays ? new Map(to.tags.map(tag => [tag, root.digest])) : await tagsAt(target, to.tags, io)
    return { found, root, target, referrers: along?.referrers, outcome: { steps, tagsNow } }
  }

  const { place } = target
  const telling: CopyOptions = {
    ...options,
    onEvent: event => {
      onEvent({ ...event, place })
    },
  }
  const pointsThere = stays || (await isTagged(target, to, root, io))
  onEvent({ type: 'step', step: 'push', text: `Content of ${root.digest}` })
  const own = await copyGraph(contentOf, root, target, telling)
  if (attached) onEvent({ type: 'step', step: 'push', text: 'What refers to it' })
  const along = attached && (await copyReferrers(attached, source, target, telling))
  // A registry that keeps no list is told what refers to what, before anybody looks there by a tag.
  if (along && to.kind === 'registry') await target.close?.(io)
  onEvent({ type: 'step', step: 'tags', text: 'Tags' })
  // Without a name too: a layout lists what it holds.
  if (!pointsThere) await target.tag(contentOf(root), to.tags, io)
  await target.close?.(io)
  onEvent({ type: 'tagged', place, tags: to.tags })
  const result = along ? mergedResult([own, along.result]) : own
  return { found, root, target, referrers: along?.referrers, outcome: { result } }
}

/**
 * Whether the tag is where it has to be. Asked first, since the answer tells of the manifest as well: a copy that was made
 * before costs the target one request.
 */
async function isTagged(
  target: Target,
  { kind, tags }: Output,
  { digest }: Descriptor,
  io: Abortable,
): Promise<boolean> {
  const [tag] = tags
  // A layout writes more about its tags than where they point.
  if (kind !== 'registry' || tag === undefined || tags.length > 1) return false
  return (await resolveIfThere(target, tag, io))?.digest === digest
}

/** Whether a tag of cosign's has all that would come already. @throws {OciPublishError} TAG_EXISTS */
async function staysAttached(
  source: Source,
  root: Descriptor,
  target: Target,
  [tag]: readonly string[],
  io: Abortable,
): Promise<boolean> {
  if (tag === undefined || !isAttachedTag(tag)) return false
  return (await attachedTagStep(source, root, target, tag, io)) !== 'move'
}

/** Where each tag points. */
async function tagsAt(
  target: Target,
  tags: readonly string[],
  io: Abortable,
): Promise<ReadonlyMap<string, Digest | undefined>> {
  const now = new Map<string, Digest | undefined>()
  for (const tag of tags) now.set(tag, (await resolveIfThere(target, tag, io))?.digest)
  return now
}

function check({ from, expects }: CopyRequest, { digest }: Descriptor): void {
  if (expects === undefined || expects === digest) return
  const problem = `says ${expects}, but what would arrive there from ${formatReference(from)} is ${digest}`
  throw new InputError([{ input: 'TO', problem }])
}
