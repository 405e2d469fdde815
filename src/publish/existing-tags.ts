import { tagsLeft } from '../copy/existing-tags.ts'
import type { Digest } from '../oci/digest.ts'
import type { OnPublishEvent } from './event.ts'
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
  const places = targets.map(({ target, previous }) => ({ place: target.place, tags: previous.tags }))
  const left = tagsLeft(places, wanted, request.onExistingTag, text => {
    onEvent({ type: 'notice', text })
  })
  return { ...prepared, targets: targets.map((one, i) => without(one, left[i] ?? new Set())) }
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
