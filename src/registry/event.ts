import type { Digest } from '../oci/digest.ts'

/** What both ends of a transfer tell. */
interface Interruption {
  readonly host: string
  readonly repository: string
  readonly digest: Digest
  /** What went wrong: `503 down for repair`. */
  readonly reason: string
  /** Attempts so far. */
  readonly attempt: number
  readonly waitMs: number
}

/** Told as things happen; retries of single requests are told by the transport. The listener must neither throw nor wait. */
export type RegistryEvent =
  /** A blob is sent once more, or goes on where it stopped. */
  | (Interruption & { readonly type: 'upload-retry' })
  /** A manifest or blob is read on from a byte. */
  | (Interruption & { readonly type: 'download-resume'; readonly offset: number })
