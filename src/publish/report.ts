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
  /** Signatures and attestations; only where something was to be signed. */
  readonly signed?: SignedReport
  readonly targets: readonly TargetReport[]
  readonly dryRun: boolean
}

/** A signature or an attestation, as it hangs on one manifest. */
export interface SignatureReport {
  /** `host/repository@digest` of the manifest that carries it. */
  readonly ref: string
  /** `notation`: of the Notary Project; `legacy`: cosign's older form. */
  readonly form: 'bundle' | 'legacy' | 'notation'
  readonly subject: Digest
  /** Of what is stated; none for the forms that only sign. */
  readonly predicateType?: string
  /** `keyless`, `the key cosign.key`. */
  readonly by: string
  /** Whether it was there, or an equal one, and nothing was added. */
  readonly existed: boolean
}

export interface SignedReport {
  /** `host/repository@digest` of everything that is signed. */
  readonly refs: readonly string[]
  readonly signatures: readonly SignatureReport[]
  /** Command lines of cosign that verify them. */
  readonly verifyCommands: readonly string[]
  /** File with the bundles that were made, one a line. */
  readonly bundlePath?: string
  /** That GitHub keeps. */
  readonly attestations: readonly { readonly id: string; readonly url: string }[]
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
