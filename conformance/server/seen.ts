import type { Fault } from './fault.ts'

/** A request as the registry saw it, and what became of it. */
export interface SeenRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** Path and query, as they came. */
  readonly target: string
  readonly query: URLSearchParams
  /** Names in lower case, `authorization` left out. */
  readonly headers: Readonly<Record<string, string>>
  /** The scheme of `authorization`: `Basic`, `Bearer`. */
  readonly authorization: string | undefined
  /** Milliseconds, by the clock of the registry. */
  readonly at: number
  /** What was made to go wrong with it. */
  readonly fault: Fault | undefined
  /** Bytes of the request's body that have arrived. */
  bodyBytes: number
  /** The body came to its end. */
  whole: boolean
  /** 0 as long as there is no answer, and where none was sent. */
  status: number
  /** Error codes of the answer. */
  codes: readonly string[]
  /** Retry-After of the answer, in milliseconds. */
  retryAfterMs: number
}
