import type { Abortable } from '../async/abortable.ts'
import type { Located, Output } from '../content/places.ts'
import type { Target } from '../content/ports.ts'
import { InputError, OciPublishError } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { isManifestType } from '../oci/media-type.ts'
import { formatPlatform } from '../oci/platform.ts'
import { formatReference, type Reference } from '../oci/reference.ts'
import { copyGraph, type CopyResult } from './copy.ts'
import type { OnImageCopyEvent } from './event.ts'
import { planCopy, type CopyStep } from './plan.ts'
import type { CopyRequest } from './request.ts'
import { selectPlatforms } from './select-platforms.ts'

export interface CopyDeps {
  /** Both only build; nothing is touched before the first call. */
  readonly locate: (reference: Reference) => Located
  readonly openTarget: (output: Output) => Target
  readonly onEvent: OnImageCopyEvent
}

/** What was copied, and how it came to be at the target. */
export interface ImageCopy {
  /** What the source's name stood for. */
  readonly found: Descriptor
  /** What is at the target: the same, or what is left of it. */
  readonly root: Descriptor
  readonly target: Pick<Target, 'place'>
  /** Of a dry run, the steps that would be done. */
  readonly outcome:
    { readonly result: CopyResult; readonly steps?: undefined } | { readonly steps: readonly CopyStep[] }
}

/**
 * Copies an image, an index or an artifact with everything it points at, byte for byte; the tag moves last. What the
 * target has is neither read nor sent.
 *
 * @throws {InputError} when the source is not what the request says
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
  const { root, contentOf } = await selectPlatforms(source, found, platforms, io)
  check(request, root)
  if (root.digest !== found.digest) {
    const kept = platforms.map(formatPlatform).join(', ')
    onEvent({ type: 'notice', text: `the index is rewritten for ${kept}: ${found.digest} becomes ${root.digest}` })
  }
  const target = deps.openTarget(to)
  const mayMount = repository !== undefined && mountDomain !== undefined && mountDomain === target.mountDomain
  const options = { mountFrom: mayMount ? () => [repository] : undefined, shallow: true, ...io }
  if (dryRun) return { found, root, target, outcome: { steps: await planCopy(contentOf, root, target, options) } }

  const { place } = target
  onEvent({ type: 'step', step: 'push', text: `Content of ${root.digest}` })
  const result = await copyGraph(contentOf, root, target, {
    ...options,
    onEvent: event => {
      onEvent({ ...event, place })
    },
  })
  onEvent({ type: 'step', step: 'tags', text: 'Tags' })
  // Without a name too: a layout lists what it holds.
  await target.tag(contentOf(root), to.tags, io)
  await target.close?.(io)
  onEvent({ type: 'tagged', place, tags: to.tags })
  return { found, root, target, outcome: { result } }
}

function check({ from, expects }: CopyRequest, { digest }: Descriptor): void {
  if (expects === undefined || expects === digest) return
  const problem = `says ${expects}, but what would arrive there from ${formatReference(from)} is ${digest}`
  throw new InputError([{ input: 'TO', problem }])
}
