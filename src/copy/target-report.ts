import type { CopyResult, Part } from './copy.ts'
import type { CopyStep } from './plan.ts'

export interface Tally {
  readonly count: number
  readonly bytes: number
}

/** What became of one target. */
export interface TargetReport {
  /** `ghcr.io/team/app`, `oci:out`. */
  readonly place: string
  readonly tags: readonly string[]
  readonly sent: Tally
  readonly mounted: Tally
  readonly existing: Tally
  /** Only of a dry run: what would be done. */
  readonly steps?: readonly CopyStep[]
}

type Outcome = { readonly result: CopyResult; readonly steps?: undefined } | { readonly steps: readonly CopyStep[] }

/** @param outcome what was done, or the plan of a dry run */
export function targetReport(place: string, tags: readonly string[], outcome: Outcome): TargetReport {
  if (outcome.steps) {
    const { steps } = outcome
    const of = (what: CopyStep['do']): Tally => {
      const some = steps.filter(step => step.do === what)
      return { count: some.length, bytes: some.reduce((sum, { descriptor }) => sum + descriptor.size, 0) }
    }
    return { place, tags, sent: of('send'), mounted: of('mount?'), existing: of('keep'), steps }
  }
  const { sent, mounted, existing } = outcome.result
  return { place, tags, sent: tally(sent), mounted: tally(mounted), existing: tally(existing) }
}

function tally({ descriptors, bytes }: Part): Tally {
  return { count: descriptors.length, bytes }
}
