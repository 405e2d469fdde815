import type { Abortable } from '../async/abortable.ts'
import { limit } from '../async/limit.ts'
import type { Source, Target } from '../content/ports.ts'
import { withPush } from '../content/with-push.ts'
import { OciPublishError } from '../errors.ts'
import { copyImage, type CopyDeps, type ImageCopy } from './copy-image.ts'
import type { Reference } from '../oci/reference.ts'
import { settle } from './settle.ts'
import { isWanted } from './tag-pattern.ts'
import type { TagsRequest } from './tags-request.ts'

/** What became of each tag, in the order of the repository. */
export interface TagsCopy {
  readonly target: Pick<Target, 'place'>
  readonly copies: readonly { readonly tag: string; readonly copy: ImageCopy }[]
  readonly failures: readonly { readonly tag: string; readonly error: unknown }[]
}

/** Each asks for little while it moves much: several at once hide how long the answers take. */
const TAGS_AT_ONCE = 4

/**
 * Copies what every tag of a repository or a layout stands for, under the same tag. All go to one target, which knows what it has been
 * sent: a blob of several images goes over the wire once. A tag that fails does not keep the others from being copied.
 *
 * @throws {OciPublishError} UNSUPPORTED where there is no list of tags, NOT_FOUND where no tag is wanted
 * @throws the signal's reason as it is
 */
export async function copyTags(request: TagsRequest, deps: CopyDeps, io: Abortable = {}): Promise<TagsCopy> {
  const { from, to, platforms, dryRun } = request
  const { signal } = io
  const located = deps.locate(from)
  const tags = await wantedTags(located.source, request, io)
  const target = deps.openTarget(to)
  // Of all copies together, once there is nothing more to come.
  const shared: Target = {
    ...withPush(target, (blob, options) => target.push(blob, options)),
    close: () => Promise.resolve(),
  }
  deps.onEvent({
    type: 'step',
    step: 'push',
    text: `${tags.length === 1 ? '1 tag' : `${tags.length} tags`} of ${located.source.place}`,
  })
  const of = (tag: string): CopyDeps => ({
    locate: () => ({ ...located, name: tag }),
    openTarget: () => shared,
    check: deps.check,
    onEvent: event => {
      if (event.type !== 'step') deps.onEvent(event)
    },
  })
  const slot = limit(TAGS_AT_ONCE)
  const outcomes = await settle(
    tags.map(tag =>
      slot(async () => {
        signal?.throwIfAborted()
        const one = { from: named(from, tag), to: { ...to, tags: [tag] }, expects: undefined, platforms, dryRun }
        try {
          return { tag, copy: await copyImage(one, of(tag), io) }
        } catch (error) {
          signal?.throwIfAborted()
          return { tag, error }
        }
      }),
    ),
    signal,
  )
  const copies = outcomes.flatMap(({ tag, copy }) => (copy ? [{ tag, copy }] : []))
  if (!dryRun && copies.length > 0) await target.close?.(io)
  return { target, copies, failures: outcomes.flatMap(({ tag, copy, error }) => (copy ? [] : [{ tag, error }])) }
}

function named(from: Reference, tag: string): Reference {
  return from.kind === 'registry' ? { ...from, tag } : { ...from, name: tag }
}

async function wantedTags(
  source: Source,
  { include, exclude }: TagsRequest,
  { signal }: Abortable,
): Promise<readonly string[]> {
  if (!source.tags) throw new OciPublishError('UNSUPPORTED', `${source.place} has no list of tags`)
  const all: string[] = []
  for await (const tag of source.tags({ signal })) all.push(tag)
  const wanted = all.filter(tag => isWanted(tag, include, exclude))
  if (wanted.length > 0) return wanted
  const has = all.length === 0 ? 'no tags' : `${all.length} tags, but none that is wanted`
  const hint = all.length === 0 ? undefined : `there are ${all.slice(0, 5).join(', ')}${all.length > 5 ? ', …' : ''}`
  throw new OciPublishError('NOT_FOUND', `${source.place} has ${has}`, { hint })
}
