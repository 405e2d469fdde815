/** What is sent back. Content-Length is set from the body, or from `size` where the body is a stream. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>
  /** Bytes of a streamed body; for HEAD, of the body that GET would have. */
  readonly size?: number
}

/** One request on its way through the routes. */
export interface Exchange {
  readonly method: string
  readonly query: URLSearchParams
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Pieces of the request's body; throws when the client breaks off. */
  readonly body: AsyncIterable<Uint8Array>
}

/** Error codes of the distribution-spec, "Error Codes"; TAG_INVALID is what registries with immutable tags say. */
export type ErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'TAG_INVALID'
  | 'UNAUTHORIZED'
  | 'UNSUPPORTED'

export interface SpecError {
  readonly code: ErrorCode
  readonly message: string
  readonly detail?: unknown
}

/** Thrown by a route to answer with an error in the form of the specification. */
export class Refused extends Error {
  readonly status: number
  readonly errors: readonly SpecError[]
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    errors: SpecError | readonly SpecError[],
    headers: Readonly<Record<string, string>> = {},
  ) {
    const list = 'code' in errors ? [errors] : errors
    super(list.map(({ message }) => message).join('; '))
    this.status = status
    this.errors = list
    this.headers = headers
  }

  get answer(): Answer {
    return json(this.status, { errors: this.errors }, this.headers)
  }
}

export function json(status: number, value: unknown, headers: Answer['headers'] = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  }
}

/** The whole body. */
export async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return Buffer.concat(pieces)
}
