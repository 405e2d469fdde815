import type { IncomingMessage } from 'node:http'
import { beginning, collect, drain, isBodiless, readBody, type BodyLimits } from './read.ts'
import type { HttpResponse } from './transport.ts'

/** The head of an answer, and what is known about how it came. */
export interface Reply {
  readonly message: IncomingMessage
  readonly method: string
  readonly url: URL
  readonly signal: AbortSignal | undefined
  readonly limits: BodyLimits & { readonly excerptMs: number }
}

export interface ReplyContext {
  readonly attempts: number
  readonly gaveUp: string | undefined
  /** It came from another origin than the one that was asked. */
  readonly foreign: boolean
  /** The body, when it was read before. */
  readonly whole: Uint8Array | undefined
  /** Makes the error for a body that broke off, and for one that is too large. */
  readonly broken: (cause: unknown) => unknown
  readonly tooLarge: (maxBytes: number) => Error
}

/** The first values of all headers that may carry a request's name, by which the registry's operators find it. */
const REQUEST_IDS = ['x-amzn-requestid', 'x-github-request-id', 'x-ms-request-id', 'x-request-id', 'docker-upload-uuid']

export function requestIdOf(header: (name: string) => string | undefined): string | undefined {
  return REQUEST_IDS.map(header).find(value => value !== undefined && value !== '')
}

/** All values of a header, in the order in which they came. */
export function valuesOf(message: IncomingMessage, name: string): readonly string[] {
  const wanted = name.toLowerCase()
  return message.rawHeaders.filter((_, i, raw) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === wanted)
}

/** The first value of a header. */
export function headerOf({ message }: Reply, name: string): string | undefined {
  return valuesOf(message, name)[0]
}

export function statusOf({ message }: Reply): number {
  return message.statusCode ?? 0 // Node sets it on every answer, its types do not know
}

/** Turns the head of an answer into what callers see. */
export function toResponse(reply: Reply, context: ReplyContext): HttpResponse {
  const { message, method, url } = reply
  const { attempts, gaveUp, foreign, whole, broken, tooLarge } = context
  const empty = isBodiless(method, message)

  async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
    if (whole) yield whole
    if (whole ?? empty) return
    try {
      yield* readBody(message, reply.limits, reply.signal)
    } catch (cause) {
      throw broken(cause)
    }
  }

  // Who was not asked may not ask for credentials: storage that a registry redirects to, and whoever controls that.
  const values = (name: string): readonly string[] =>
    foreign && name.toLowerCase() === 'www-authenticate' ? [] : valuesOf(message, name)

  const bytes = async (maxBytes: number): Promise<Uint8Array> => {
    const collected = await collect(body(), maxBytes)
    if (!collected) throw tooLarge(maxBytes)
    return collected
  }

  return {
    status: statusOf(reply),
    url,
    attempts,
    gaveUp,
    header: name => values(name)[0],
    headerValues: values,
    body: { [Symbol.asyncIterator]: body },
    bytes,
    text: async maxBytes => new TextDecoder().decode(await bytes(maxBytes)),
    excerpt: async maxBytes => {
      const bytes = await beginning(body(), maxBytes, { message, excerptMs: reply.limits.excerptMs })
      reply.signal?.throwIfAborted()
      return new TextDecoder().decode(bytes)
    },
    discard: async () => {
      if (!whole && !empty) await drain(message)
    },
  }
}
