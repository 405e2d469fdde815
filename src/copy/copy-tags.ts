import type { Abortable } from '../async/abortable.ts'
import { limit } from '../async/limit.ts'
import type { Source, Target } from '../content/ports.ts'
import { withPush } from '../content/with-push.ts'
import { OciPublishError } from '../errors.ts'
import { isAttachedTag } from '../oci/attached-tag.ts'
import { quoted } from '../oci/quoted.ts'
import type { Reference } from '../oci/reference.ts'
import { MAX_TAG, type Tag } from '../oci/tag.ts'
import { copyImage, type CopyDeps, type ImageCopy } from './copy-image.ts'
import { isReferrersList } from './referrers-list.ts'
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
 * With what refers to them, lists of referrers that clients keep under tags are not copied as they are: the target has its
 * own, with what it has besides. Cosign's tags come before those of the images that they belong to, and what is left of them last.
 *
 * @throws {OciPublishError} UNSUPPORTED where there is no list of tags, NOT_FOUND where no tag is wanted
 * @throws the signal's reason as it is
 */
export async function copyTags(request: TagsRequest, deps: CopyDeps, io: Abortable = {}): Promise<TagsCopy> {
  const { from, to, platforms, referrers, dryRun } = request
  const { signal } = io
  const located = deps.locate(from)
  const { tags: all, others } = await allTags(located.source, io)
  const refused = refusedNames(others, request)
  const wanted = wantedTags(located.source, all, refused.length, request)
  const tags = referrers ? await withoutLists(located.source, wanted, io) : wanted
  const target = deps.openTarget(to)
  const shared = sharedTarget(target, referrers && to.kind === 'registry')
  deps.onEvent({
    type: 'step',
    step: 'push',
    text: `${tags.length === 1 ? '1 tag' : `${tags.length} tags`} of ${located.source.place}`,
  })
  const known = new Set<string>(all)
  const of = (tag: Tag): CopyDeps => ({
    locate: () => ({ ...located, name: tag }),
    openTarget: () => shared,
    check: deps.check,
    hasTag: one => known.has(one),
    onEvent: event => {
      if (event.type !== 'step') deps.onEvent(event)
    },
  })
  const slot = limit(TAGS_AT_ONCE)
  const copyAll = (some: readonly Tag[]): Promise<readonly Outcome[]> =>
    settle(
      some.map(tag =>
        slot(async () => {
          signal?.throwIfAborted()
          const one = { from: named(from, tag), to: { ...to, tags: [tag] }, platforms, referrers, dryRun }
          try {
            return { tag, copy: await copyImage({ ...one, expects: undefined }, of(tag), io) }
          } catch (error) {
            signal?.throwIfAborted()
            return { tag, error }
          }
        }),
      ),
      signal,
    )
  const later = referrers ? tags.filter(isAttachedTag) : []
  const first = await copyAll(tags.filter(tag => !later.includes(tag)))
  const came = new Set<string | undefined>(first.flatMap(({ copy }) => copy?.referrers?.map(({ tag }) => tag) ?? []))
  const outcomes = [...first, ...(await copyAll(later.filter(tag => !came.has(tag))))]
  const copies = outcomes.flatMap(({ tag, copy }) => (copy ? [{ tag, copy }] : []))
  if (!dryRun && copies.length > 0) await target.close?.(io)
  const failures = outcomes.flatMap(({ tag, copy, error }) => (copy ? [] : [{ tag, error }]))
  return { target, copies, failures: [...failures, ...refused] }
}

interface Outcome {
  readonly tag: Tag
  readonly copy?: ImageCopy
  readonly error?: unknown
}

/**
 * The target of all copies together: it is closed once, when there is nothing more to come. A registry that is to be told
 * what refers to what before each tag is told in turn, and what has gathered meanwhile at once.
 */
function sharedTarget(target: Target, tellsEach: boolean): Target {
  const inTurn = limit(1)
  return {
    ...withPush(target, (blob, options) => target.push(blob, options)),
    close: options => (tellsEach ? inTurn(async () => target.close?.(options)) : Promise.resolve()),
  }
}

function named(from: Reference, tag: Tag): Reference {
  return from.kind === 'registry' ? { ...from, tag } : { ...from, name: tag }
}

interface Listed {
  readonly tags: readonly Tag[]
  /** Names that are not tags. */
  readonly others: readonly string[]
}

async function allTags(source: Source, { signal }: Abortable): Promise<Listed> {
  if (!source.tags) throw new OciPublishError('UNSUPPORTED', `${source.place} has no list of tags`)
  const tags: Tag[] = []
  const others: string[] = []
  const onOther = (name: string): void => void others.push(name)
  for await (const tag of source.tags({ signal, onOther })) tags.push(tag)
  return { tags, others }
}

/** A list may hold many names that are not tags; some show what it is. */
const MAX_REFUSED = 20

/** Each wanted name that is not a tag fails: as part of a path it could lead into another repository. */
function refusedNames(others: readonly string[], { include, exclude }: TagsRequest): TagsCopy['failures'] {
  // Patterns are for names of the length of tags.
  const wanted = others.filter(name => name.length > MAX_TAG || isWanted(name, include, exclude))
  const shown = wanted.slice(0, MAX_REFUSED).map(name => ({
    tag: quoted(name),
    error: new OciPublishError('INVALID_TAG', 'it is not a tag, which has only letters, digits, "_", "." and "-"'),
  }))
  const more = wanted.length - shown.length
  if (more === 0) return shown
  return [...shown, { tag: '…', error: new OciPublishError('INVALID_TAG', `${more} more names are not tags`) }]
}

function wantedTags(
  { place }: Source,
  all: readonly Tag[],
  refused: number,
  { include, exclude }: TagsRequest,
): readonly Tag[] {
  const wanted = all.filter(tag => isWanted(tag, include, exclude))
  if (wanted.length > 0 || refused > 0) return wanted
  const has = all.length === 0 ? 'no tags' : `${all.length} tags, but none that is wanted`
  const hint = all.length === 0 ? undefined : `there are ${all.slice(0, 5).join(', ')}${all.length > 5 ? ', …' : ''}`
  throw new OciPublishError('NOT_FOUND', `${place} has ${has}`, { hint })
}

async function withoutLists(source: Source, tags: readonly Tag[], io: Abortable): Promise<readonly Tag[]> {
  const slot = limit(TAGS_AT_ONCE)
  const lists = await settle(
    tags.map(tag => slot(() => isReferrersList(source, tag, io))),
    io.signal,
  )
  return tags.filter((_tag, i) => lists[i] !== true)
}
