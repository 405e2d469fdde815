import type { Abortable } from '../async/abortable.ts'
import type { Envelope } from './envelope.ts'
import type { SignedBy } from './signer.ts'

/** An entry of a transparency log, in the JSON that sigstore bundles have (`TransparencyLogEntry` of protobuf-specs). */
export type LogEntry = Readonly<Record<string, unknown>>

/** What is written down in a log: an envelope of a bundle, or a signature over some bytes of the older form. */
export type Logged =
  | { readonly kind: 'dsse'; readonly envelope: Envelope; readonly by: SignedBy }
  | {
      readonly kind: 'hashedrekord'
      /** What was signed, not its hash. */
      readonly bytes: Uint8Array
      readonly signature: Uint8Array
      readonly by: SignedBy
    }

/** Others who testify that a signature was there at some time. Either part may be missing. */
export interface Witnesses {
  readonly log?:
    | {
        /** Major version of Rekor's API; entries of 2 cannot be carried by the older form of signatures. */
        readonly version: 1 | 2
        /**
         * Writes a signature down, or finds the entry that is there already.
         *
         * @throws {OciPublishError} LOG_FAILED
         */
        record(logged: Logged, io?: Abortable): Promise<LogEntry>
      }
    | undefined
  /**
   * An RFC 3161 response (`TimeStampResp`, DER) over a signature.
   *
   * @throws {OciPublishError} TIMESTAMP_FAILED
   */
  readonly timestamp?: ((signature: Uint8Array, io?: Abortable) => Promise<Uint8Array>) | undefined
}
