import { readAll } from '../../src/content/verify.ts'
import { HttpError } from '../../src/http/error.ts'
import type { HttpRequest, HttpResponse, Transport } from '../../src/http/transport.ts'

/** What a scripted server says. */
export interface Said {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Uint8Array
  /** Why the transport does not ask again. */
  readonly gaveUp?: string
  /** The body breaks off after so many bytes. */
  readonly cutAfter?: number
}

/** A request as the server saw it. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}

/** No answer: the code is Node's. */
export interface Silence {
  readonly code: string
  readonly retriable?: boolean
}

export type Server = (request: Seen) => Said | Silence

export interface ScriptedTransport extends Transport {
  readonly seen: readonly Seen[]
  /** `HEAD /v2/app/manifests/v1`, without origin and query. */
  readonly lines: () => readonly string[]
  /** Answers whose body was neither read nor dropped: each keeps a connection. */
  readonly unread: () => number
}

/** A transport whose other end is a function. It neither retries nor redirects. */
export function scripted(server: Server): ScriptedTransport {
  const seen: Seen[] = []
  const unread = new Set<object>()
  return {
    seen,
    unread: () => unread.size,
    lines: () => seen.map(({ method, url }) => `${method} ${new URL(url).pathname}`),
    async request({ method, url, headers = {}, body, signal, operation = method }: HttpRequest): Promise<HttpResponse> {
      signal?.throwIfAborted()
      const bytes = body && (await readAll(body.open({ signal }), { maxBytes: body.size, what: 'body', signal }))
      const request = { method, url: url.href, headers, body: bytes }
      seen.push(request)
      const said = server(request)
      if ('code' in said) throw silence(said, { method, url, operation })
      const mark = {}
      unread.add(mark)
      return answer(said, { method, url, operation }, () => unread.delete(mark))
    },
    close: () => Promise.resolve(),
  }
}

interface About {
  readonly method: string
  readonly url: URL
  readonly operation: string
}

function silence({ code, retriable = true }: Silence, { method, url, operation }: About): HttpError {
  const facts = { code: 'UNREACHABLE', host: url.host, method, url: url.href, operation, reason: code } as const
  const cause = Object.assign(new Error(code), { code })
  return new HttpError({ ...facts, attempts: 1, retriable }, { cause })
}

function answer(
  { status, headers = {}, body = '', gaveUp, cutAfter }: Said,
  about: About,
  taken: () => void,
): HttpResponse {
  const all = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const bytes = about.method === 'HEAD' ? new Uint8Array() : all
  const values = (name: string): readonly string[] =>
    Object.entries(headers)
      .filter(([key]) => key.toLowerCase() === name.toLowerCase())
      .flatMap(([, value]) => value)
  async function* stream(): AsyncGenerator<Uint8Array> {
    taken()
    await Promise.resolve()
    yield bytes.subarray(0, cutAfter)
    if (cutAfter !== undefined) throw silence({ code: 'ECONNRESET' }, about)
  }
  const whole = (maxBytes: number): Promise<Uint8Array> => readAll(stream(), { maxBytes, what: 'answer' })
  const text = async (maxBytes: number): Promise<string> => new TextDecoder().decode(await whole(maxBytes))
  return {
    status,
    url: about.url,
    attempts: 1,
    gaveUp,
    header: name => values(name)[0],
    headerValues: values,
    body: stream(),
    bytes: whole,
    text,
    excerpt: text,
    discard: () => {
      taken()
      return Promise.resolve()
    },
  }
}
