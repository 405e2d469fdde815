import type { Digest } from '../oci/digest.ts'

/** What becomes of a tag that points at something else. */
export type OnExistingTag = 'overwrite' | 'fail' | 'skip'

export type TagStep =
  | { readonly do: 'keep'; readonly tag: string }
  | { readonly do: 'move'; readonly tag: string; readonly from: Digest | undefined }
  /** It stays where it is. */
  | { readonly do: 'leave'; readonly tag: string; readonly from: Digest }
  /** Nothing may be published. */
  | { readonly do: 'refuse'; readonly tag: string; readonly from: Digest }

const STEPS = { overwrite: 'move', skip: 'leave', fail: 'refuse' } as const

/** Pure and total: a dry run prints what the real run does, because it is the same list. */
export function planTags(
  wanted: Digest,
  now: ReadonlyMap<string, Digest | undefined>,
  onExisting: OnExistingTag,
): readonly TagStep[] {
  return [...now].map(([tag, from]) => {
    if (from === wanted) return { do: 'keep', tag }
    return from === undefined ? { do: 'move', tag, from } : { do: STEPS[onExisting], tag, from }
  })
}

export function tagsToMove(steps: readonly TagStep[]): readonly string[] {
  return steps.filter(step => step.do === 'move').map(({ tag }) => tag)
}
