import type { CopiedReferrer } from './copy-referrers.ts'
import type { CopyResult, Part } from './copy.ts'
import type { Digest } from '../oci/digest.ts'
import type { CopyStep } from './plan.ts'
import type { TagStep } from './plan-tags.ts'

export interface Tally {
  readonly count: number
  readonly bytes: number
}

/** What becomes of a tag; `from` is where it points before. */
export interface TagReport {
  readonly tag: string
  /** `leave`: it points at something else, and stays so. */
  readonly do: 'create' | 'move' | 'keep' | 'leave'
  readonly from?: Digest
}

/** What became of one target. */
export interface TargetReport {
  /** `ghcr.io/team/app`, `oci:out`. */
  readonly place: string
  readonly tags: readonly string[]
  readonly sent: Tally
  readonly mounted: Tally
  readonly existing: Tally
  /** What came along because it refers to what was copied, where that was asked for. It counts above as well. */
  readonly referrers?: { readonly copied: number; readonly existing: number }
  /** Only of a dry run: what would be done. */
  readonly steps?: readonly CopyStep[]
  /** Only of a dry run: what would become of every tag, those included that stay where they are. */
  readonly tagSteps?: readonly TagReport[]
}

type Outcome =
  | { readonly result: CopyResult; readonly steps?: undefined }
  | { readonly steps: readonly CopyStep[]; readonly tagSteps?: readonly TagStep[] }

/** @param outcome what was done, or the plan of a dry run */
export function targetReport(place: string, tags: readonly string[], outcome: Outcome): TargetReport {
  if (outcome.steps) {
    const { steps, tagSteps } = outcome
    const of = (what: CopyStep['do']): Tally => {
      const some = steps.filter(step => step.do === what)
      return { count: some.length, bytes: some.reduce((sum, { descriptor }) => sum + descriptor.size, 0) }
    }
    return {
      place,
      tags,
      sent: of('send'),
      mounted: of('mount?'),
      existing: of('keep'),
      steps,
      ...(tagSteps && { tagSteps: tagSteps.flatMap(tagReport) }),
    }
  }
  const { sent, mounted, existing } = outcome.result
  return { place, tags, sent: tally(sent), mounted: tally(mounted), existing: tally(existing) }
}

/** None of a refused one: then there is no report. */
function tagReport(step: TagStep): readonly TagReport[] {
  switch (step.do) {
    case 'keep':
      return [{ tag: step.tag, do: 'keep' }]
    case 'move':
      return [
        step.from === undefined ? { tag: step.tag, do: 'create' } : { tag: step.tag, do: 'move', from: step.from },
      ]
    case 'leave':
      return [{ tag: step.tag, do: 'leave', from: step.from }]
    case 'refuse':
      return []
  }
}

/** Each counts once, by however many ways it was found. */
export function referrersTally(referrers: readonly CopiedReferrer[]): NonNullable<TargetReport['referrers']> {
  const existed = new Map(referrers.map(one => [one.descriptor.digest, one.existed]))
  const existing = [...existed.values()].filter(Boolean).length
  return { copied: existed.size - existing, existing }
}

function tally({ descriptors, bytes }: Part): Tally {
  return { count: descriptors.length, bytes }
}
