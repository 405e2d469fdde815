import type { PublishedChart } from '../artifact/helm/publish-chart.ts'
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

/** A file of an artifact. */
export interface FileReport {
  /** What it is called; undefined where the format has no names. */
  readonly title?: string
  readonly digest: Digest
  readonly mediaType: string
  readonly size: number
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
  /** Digest of the config of the only platform, or of the first; undefined for a chart alone. */
  readonly imageid: Digest | undefined
  readonly base: { readonly name: string; readonly digest: Digest } | undefined
  /** None for a chart alone, or for files. */
  readonly platforms: readonly PlatformReport[]
  /** Only of an artifact: what readers know it by. */
  readonly artifactType?: string
  /** Only of an artifact. */
  readonly layers?: readonly FileReport[]
  /** A chart that was published, alone or after the image; `refs`, `tags` and `targets` have its own too. */
  readonly chart?: PublishedChart
  /** What hangs on the platforms now; only where that was asked for. */
  readonly attached?: readonly AttachedReport[]
  readonly targets: readonly TargetReport[]
  readonly dryRun: boolean
}

/** An artifact that is attached to one manifest. */
export interface AttachedReport {
  /** `host/repository@digest` of the artifact. */
  readonly ref: string
  readonly artifactType: string
  readonly subject: Digest
  /** `linux/arm64`; none where the image is of no platform. */
  readonly platform?: string
}
