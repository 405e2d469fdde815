/** What a body is told when it is opened. */
interface OpenOptions {
  /** Aborted as soon as the bytes are of no use any more: the request failed, was answered early, or was aborted. */
  readonly signal?: AbortSignal | undefined
}

/** Bytes to send. They may be asked for again: after a failure, or when a redirect keeps the method. */
export interface RequestBody {
  /** Bytes, sent as Content-Length. A source that yields more or fewer is an error of ours and is never retried. */
  readonly size: number
  open(options?: OpenOptions): AsyncIterable<Uint8Array>
}

export interface HttpRequest {
  readonly method: string
  readonly url: URL
  /** `Authorization` reaches the origin of `url` only, whatever redirects say. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestBody | undefined
  readonly signal?: AbortSignal | undefined
  /** `manual` hands a 3xx to the caller. Default: `follow`, by the rules of redirect.ts. */
  readonly redirect?: 'follow' | 'manual'
  /**
   * `never` is for a caller with a retry loop of its own (blob upload): the first failure is the result, and its
   * `retriable` says whether trying again makes sense.
   */
  readonly retry?: 'transport' | 'never'
  /**
   * How long an answer may take at most when all is sent, in ms. It is a minute in any case, and five after a body, which a
   * registry may have to store first.
   */
  readonly answerMs?: number | undefined
  /** In words, for events and errors: `push blob sha256:…`. Default: the method. */
  readonly operation?: string | undefined
  /**
   * Reads the body of a 2xx before the request counts as answered, so that a cut in the middle of a manifest or a token
   * is retried like any other failure. More bytes than this are an error. Without it the body is streamed.
   */
  readonly wholeBodyBytes?: number
}

/** An answer. Its body is read by exactly one of `body`, `bytes`, `text`, `excerpt`, or dropped by `discard`. */
export interface HttpResponse {
  readonly status: number
  /** After redirects. */
  readonly url: URL
  /** How often the request was sent. */
  readonly attempts: number
  /** Why a status that is worth another attempt was not retried, in words. */
  readonly gaveUp: string | undefined
  /** The first value. Names are case-insensitive. */
  header(name: string): string | undefined
  headerValues(name: string): readonly string[]
  /** Leaving the loop early closes the connection. A cut throws an {@link HttpError} that is `retriable`. */
  readonly body: AsyncIterable<Uint8Array>
  /** @throws {HttpError} ANSWER_TOO_LARGE */
  bytes(maxBytes: number): Promise<Uint8Array>
  /** As UTF-8. @throws {HttpError} ANSWER_TOO_LARGE */
  text(maxBytes: number): Promise<string>
  /** What there is, up to so many bytes, for an error message: neither a cut nor more bytes make it fail. */
  excerpt(maxBytes: number): Promise<string>
  /** Gives the connection back. Needed for every answer whose body is not read. */
  discard(): Promise<void>
}

/** Sends requests, again where that helps. Connections, back-off and concurrency are shared by all who use it. */
export interface Transport {
  /**
   * A status is an answer, not an error: the promise fails only when there was none.
   *
   * @throws {HttpError} UNREACHABLE when nobody answered, REDIRECT_REFUSED, ANSWER_TOO_LARGE
   * @throws what `body.open()` threw, and the reason of `signal`, both as they are
   */
  request(request: HttpRequest): Promise<HttpResponse>
  /** Cuts what is still under way. */
  close(): Promise<void>
}
