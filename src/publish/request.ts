import type { Output } from '../content/places.ts'
import type { ConfigChange } from '../image/config.ts'
import type { AnnotationRule } from '../image/annotations.ts'
import type { LayerSpec } from '../layer/line.ts'
import type { Compression, Family } from '../oci/media-type.ts'
import type { Platform } from '../oci/platform.ts'
import type { Reference } from '../oci/reference.ts'
import type { VerifyPolicy } from '../sign/policy.ts'
import type { OnExistingTag } from '../copy/plan-tags.ts'

/** A repository that may have blobs already. */
export interface MountSource {
  /** undefined: whichever host is published to. */
  readonly host: string | undefined
  readonly repository: string
}

/** What is to be published, understood and checked as far as that goes without looking at files or registries. */
export interface PublishRequest {
  readonly outputs: readonly Output[]
  readonly platforms: readonly Platform[]
  /** undefined is scratch. */
  readonly base: Reference | undefined
  /** Whom the base has to be signed by, one of them; none: nobody. */
  readonly verifyBase: readonly VerifyPolicy[]
  readonly layers: readonly LayerSpec[]
  /** Directory that sources are relative to. */
  readonly context: string
  /** Take sources behind symlinks that lead out of the context. */
  readonly followLinks: boolean
  readonly config: ConfigChange
  readonly annotations: readonly AnnotationRule[]
  readonly index: 'auto' | 'always' | 'never'
  readonly family: Family
  readonly compression: Compression
  /** undefined is the compression's default. */
  readonly compressionLevel: number | undefined
  /** The likeliest first. */
  readonly mountFrom: readonly MountSource[]
  readonly onExistingTag: OnExistingTag
  readonly dryRun: boolean
  /** Seconds since 1970, when the user set them. */
  readonly sourceDateEpoch: number | undefined
}
