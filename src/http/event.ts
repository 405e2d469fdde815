/** Told as things happen. The listener must neither throw nor wait. */
export type HttpEvent =
  | {
      readonly type: 'retry'
      readonly host: string
      readonly operation: string
      /** A status with what the host says about it, or what went wrong: `503`, `the connection was cut (ECONNRESET)`. */
      readonly reason: string
      /** The one that failed, from 1. */
      readonly attempt: number
      readonly attempts: number
      readonly waitMs: number
      /** By which the registry's operators find the request. */
      readonly requestId: string | undefined
    }
  /** What a registry wants its users to read (RFC 7234, `Warning: 299`), once per host and text. */
  | { readonly type: 'warning'; readonly host: string; readonly text: string }
