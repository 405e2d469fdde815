import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import type { TargetReport } from '../copy/target-report.ts'

interface LayerReport {
  readonly digest: Digest
  readonly diffID: Digest
  readonly mediaType: string
  /** Bytes as stored. */
  readonly size: number
  /** `base`: of the base image; `assembled`: made in this run; `cached`: known from an earlier one, not compressed. */
  readonly origin: 'base' | 'assembled' | 'cached'
}

export interface PlatformReport {
  /** `linux/arm64`. */
  readonly platform: string
  readonly digest: Digest
  readonly size: number
  readonly config: Descriptor
  readonly layers: readonly LayerReport[]
}

/** What happened; printed by `--json` as it is. */
export interface PublishReport {
  readonly digest: Digest
  readonly mediaType: string
  readonly size: number
  /** `host/repository[:tag]@digest`, one for each name. */
  readonly refs: readonly string[]
  /** `host/repository:tag`. */
  readonly tags: readonly string[]
  /** Digest of the config of the only platform, or of the first. */
  readonly imageid: Digest
  readonly base: { readonly name: string; readonly digest: Digest } | undefined
  readonly platforms: readonly PlatformReport[]
  readonly targets: readonly TargetReport[]
  readonly dryRun: boolean
}
