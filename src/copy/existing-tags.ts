import { OciPublishError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import { planTags, type OnExistingTag, type TagStep } from './plan-tags.ts'

/** Where the tags of a target point now. */
export interface TaggedPlace {
  readonly place: string
  readonly tags: ReadonlyMap<string, Digest | undefined>
}

/**
 * The tags that stay where they are, for each target in order; they are told.
 *
 * @throws {OciPublishError} TAG_EXISTS, with every tag of every target that must not move and would have to
 */
export function tagsLeft(
  targets: readonly TaggedPlace[],
  wanted: Digest,
  onExisting: OnExistingTag,
  onNotice: (text: string) => void,
): readonly ReadonlySet<string>[] {
  const planned = targets.map(({ place, tags }) => ({ place, steps: planTags(wanted, tags, onExisting) }))
  const told = (what: 'refuse' | 'leave'): readonly string[] =>
    planned.flatMap(({ place, steps }) => stepsThat(what, steps).map(({ tag, from }) => `${place}:${tag} is ${from}`))
  const refused = told('refuse')
  if (refused.length > 0) {
    throw new OciPublishError('TAG_EXISTS', `${refused.join(', ')}; this publication is ${wanted}`, {
      hint: 'use another tag, or "on-existing-tag: skip" or "overwrite"; nothing was sent',
    })
  }
  for (const text of told('leave')) onNotice(`${text} and stays so (on-existing-tag: skip)`)
  return planned.map(({ steps }) => new Set(stepsThat('leave', steps).map(({ tag }) => tag)))
}

type Staying = Extract<TagStep, { readonly do: 'leave' | 'refuse' }>

function stepsThat(what: Staying['do'], steps: readonly TagStep[]): readonly Staying[] {
  return steps.filter((step): step is Staying => step.do === what)
}
