import type { Abortable } from '../async/abortable.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import type { Platform } from '../oci/platform.ts'
import type { Reference } from '../oci/reference.ts'
import type { Output } from './places.ts'
import type { Target } from './ports.ts'

/** A manifest for something to run. */
export interface UntaggedPlatform {
  readonly descriptor: Descriptor
  readonly platform: Platform | undefined
}

/** What is everywhere that it has to be and has no name there yet: what belongs to it can be put beside it first. */
export interface Untagged {
  readonly root: Descriptor
  /** Of an index its images; of the only image that itself; of charts and files none. */
  readonly platforms: readonly UntaggedPlatform[]
  /** Of an image what it was built on. */
  readonly base?: { readonly reference: Reference; readonly digest: Digest } | undefined
  readonly places: readonly { readonly target: Target; readonly output: Output }[]
}

/** Runs when the content is everywhere and before any tag moves; where it fails, none moves. */
export type BeforeTags = (untagged: Untagged, io: Abortable) => Promise<void>
