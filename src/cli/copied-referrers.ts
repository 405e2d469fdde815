import type { CopiedReferrer } from '../copy/copy-referrers.ts'
import type { TargetReport } from '../copy/target-report.ts'
import type { Digest } from '../oci/digest.ts'
import { countText } from '../tell/amount.ts'
import { hangingText, predicateTypeIn } from './hanging-text.ts'

/** One that came along with what it refers to; printed by `--json` as it is. */
export interface ReferrerReport {
  readonly digest: Digest
  readonly mediaType: string
  readonly size: number
  readonly artifactType?: string
  /** Of a sigstore bundle: what it states. */
  readonly predicateType?: string
  readonly subject: Digest
  /** One of cosign's, under which it is found. */
  readonly tag?: string
  readonly existed: boolean
}

export function referrerReport({ descriptor, subject, tag, existed }: CopiedReferrer): ReferrerReport {
  const { digest, mediaType, size, artifactType } = descriptor
  const predicateType = predicateTypeIn(descriptor)
  return {
    ...{ digest, mediaType, size, subject, existed },
    ...(artifactType !== undefined && { artifactType }),
    ...(predicateType !== undefined && { predicateType }),
    ...(tag !== undefined && { tag }),
  }
}

/** `came along: 3 referrers, 1 there already`. */
export function referrersText({ copied, existing }: NonNullable<TargetReport['referrers']>, dryRun: boolean): string {
  if (copied + existing === 0) return 'nothing refers to it'
  const there = existing === 0 ? '' : `, ${copied === 0 ? 'all' : existing} there already`
  return `${dryRun ? 'would come along' : 'came along'}: ${countText(copied + existing, 'referrer')}${there}`
}

/** One line each. */
export function referrerLines(referrers: readonly CopiedReferrer[]): readonly string[] {
  return referrers.map(({ descriptor, subject, tag, existed }) => {
    const what = hangingText({ descriptor, by: tag === undefined ? 'subject' : 'tag', tag })
    return `${what}  ${descriptor.digest} on ${subject}${existed ? ', there already' : ''}`
  })
}
