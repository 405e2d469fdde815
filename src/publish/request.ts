import type { ConfigChange } from '../image/config.ts'
import type { AnnotationRule } from '../image/annotations.ts'
import type { LayerSpec } from '../layer/line.ts'
import type { Compression, Family } from '../oci/media-type.ts'
import type { Platform } from '../oci/platform.ts'
import type { Reference, RegistryReference } from '../oci/reference.ts'

/** A repository to publish to, and the tags that move there. */
export interface RegistryOutput {
  readonly kind: 'registry'
  readonly image: RegistryReference
  readonly tags: readonly string[]
}

/** An OCI layout to write: a directory, or a tar of one. */
export interface LayoutOutput {
  readonly kind: 'oci' | 'oci-archive'
  readonly path: string
  readonly tags: readonly string[]
  /** Full references of the image, for readers that want to know its repository (containerd, docker load). */
  readonly images: readonly RegistryReference[]
}

export type Output = RegistryOutput | LayoutOutput

/** What is to be published, understood and checked as far as that goes without looking at files or registries. */
export interface PublishRequest {
  readonly outputs: readonly Output[]
  readonly platforms: readonly Platform[]
  /** undefined is scratch. */
  readonly base: Reference | undefined
  readonly layers: readonly LayerSpec[]
  /** Directory that sources are relative to. */
  readonly context: string
  readonly config: ConfigChange
  readonly annotations: readonly AnnotationRule[]
  readonly index: 'auto' | 'always' | 'never'
  readonly family: Family
  readonly compression: Compression
  /** undefined is the compression's default. */
  readonly compressionLevel: number | undefined
  readonly dryRun: boolean
  /** Seconds since 1970, when the user set them. */
  readonly sourceDateEpoch: number | undefined
}
