import type { Digest } from '../oci/digest.ts'

/** Told as things happen; retries of single requests are told by the transport. The listener must neither throw nor wait. */
export interface RegistryEvent {
  readonly type: 'upload-retry'
  readonly host: string
  readonly repository: string
  readonly digest: Digest
  /** Why the attempt before failed: `503 down for repair`. */
  readonly reason: string
  /** Attempts so far. */
  readonly attempt: number
  readonly waitMs: number
}
