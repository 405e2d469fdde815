import type { Digest } from '../oci/digest.ts'

export type TagStep =
  | { readonly do: 'keep'; readonly tag: string }
  | { readonly do: 'move'; readonly tag: string; readonly from: Digest | undefined }

/** Pure and total: a dry run prints what the real run does, because it is the same list. */
export function planTags(wanted: Digest, now: ReadonlyMap<string, Digest | undefined>): readonly TagStep[] {
  return [...now].map(([tag, from]) => (from === wanted ? { do: 'keep', tag } : { do: 'move', tag, from }))
}

export function tagsToMove(steps: readonly TagStep[]): readonly string[] {
  return steps.filter(step => step.do === 'move').map(({ tag }) => tag)
}
