import { OciPublishError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import type { OnPublishEvent } from './event.ts'
import { planTags, type TagStep } from './plan-tags.ts'
import type { Prepared, PreparedTarget } from './prepare.ts'

/** Whether a tag that is there may yet forbid the publication: nothing can be sent before its digest is known. */
export function mayBeRefused({ request, targets }: Prepared): boolean {
  const isThere = ({ previous }: PreparedTarget): boolean =>
    [...previous.tags.values()].some(from => from !== undefined)
  return request.onExistingTag === 'fail' && targets.some(isThere)
}

/**
 * Takes out the tags that stay where they are, and tells them.
 *
 * @throws {OciPublishError} TAG_EXISTS, with every tag of every target that must not move and would have to
 */
export function respectTags(prepared: Prepared, wanted: Digest, onEvent: OnPublishEvent): Prepared {
  const { request, targets } = prepared
  const planned = targets.map(one => ({ one, steps: planTags(wanted, one.previous.tags, request.onExistingTag) }))
  const refused = planned.flatMap(({ one, steps }) => told(one, steps, 'refuse'))
  if (refused.length > 0) {
    throw new OciPublishError('TAG_EXISTS', `${refused.join(', ')}; this publication is ${wanted}`, {
      hint: 'use another tag, or "on-existing-tag: skip" or "overwrite"; nothing was sent',
    })
  }
  for (const text of planned.flatMap(({ one, steps }) => told(one, steps, 'leave'))) {
    onEvent({ type: 'notice', text: `${text} and stays so (on-existing-tag: skip)` })
  }
  return { ...prepared, targets: planned.map(({ one, steps }) => without(one, tagsOf(steps, 'leave'))) }
}

function told({ target }: PreparedTarget, steps: readonly TagStep[], what: 'refuse' | 'leave'): readonly string[] {
  return steps.flatMap(step => (step.do === what ? [`${target.place}:${step.tag} is ${step.from}`] : []))
}

function tagsOf(steps: readonly TagStep[], what: TagStep['do']): ReadonlySet<string> {
  return new Set(steps.filter(step => step.do === what).map(({ tag }) => tag))
}

function without(one: PreparedTarget, left: ReadonlySet<string>): PreparedTarget {
  if (left.size === 0) return one
  const { output, previous } = one
  return {
    ...one,
    output: { ...output, tags: output.tags.filter(tag => !left.has(tag)) },
    previous: { ...previous, tags: new Map([...previous.tags].filter(([tag]) => !left.has(tag))) },
  }
}
