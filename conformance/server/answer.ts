/** What is sent back. Content-Length is set from the body, or from `size` where the body is a stream. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>
  /** Bytes of a streamed body; for HEAD, of the body that GET would have. */
  readonly size?: number
  /** The upload session that it tells of. */
  readonly upload?: string
  /** What came to be: a digest. */
  readonly made?: string
}

/** One request on its way through the routes. */
export interface Exchange {
  readonly method: string
  /** Path and query as they came. */
  readonly target: string
  readonly query: URLSearchParams
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Pieces of the request's body; throws when the client breaks off. */
  readonly body: AsyncIterable<Uint8Array>
}

/** Error codes of the distribution-spec, "Error Codes", and those that registries of today say besides. */
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
  | 'PRECONDITION'
  | 'RANGE_INVALID'
  | 'SIZE_INVALID'
  | 'TAG_INVALID'
  | 'TOOMANYREQUESTS'
  | 'UNAUTHORIZED'
  | 'UNSUPPORTED'

export interface SpecError {
  readonly code: ErrorCode
  readonly message: string
  readonly detail?: unknown
}

/** A refusal as data: what registries of a certain make say. */
export interface Refusal extends SpecError {
  readonly status: number
}

/** Thrown by a route to answer with an error in the form of the specification. */
export class Refused extends Error {
  readonly status: number
  readonly errors: readonly SpecError[]
  readonly headers: Readonly<Record<string, string>>
  readonly #form: 'spec' | 'flat'

  /** @param form a list of errors, or one that is the body itself */
  constructor(
    status: number,
    errors: SpecError | readonly SpecError[],
    headers: Readonly<Record<string, string>> = {},
    form: 'spec' | 'flat' = 'spec',
  ) {
    const list = 'code' in errors ? [errors] : errors
    super(list.map(({ message }) => message).join('; '))
    this.status = status
    this.errors = list
    this.headers = headers
    this.#form = form
  }

  get answer(): Answer {
    const body = this.#form === 'flat' ? this.errors[0] : { errors: this.errors }
    return json(this.status, body, this.headers)
  }
}

/** Refuses as the data says. */
export function refuse({ status, ...error }: Refusal, detail?: unknown): never {
  throw new Refused(status, detail === undefined ? error : { ...error, detail })
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
