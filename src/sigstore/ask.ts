import * as v from 'valibot'
import type { Abortable } from '../async/abortable.ts'
import { bytesBody } from '../http/body.ts'
import { HttpError } from '../http/error.ts'
import { redactUrl } from '../http/redact.ts'
import { isRetriable } from '../http/retry.ts'
import type { HttpResponse, Transport } from '../http/transport.ts'
import { ServiceError } from './service-error.ts'

/** How services are reached. */
export interface ServiceIo extends Abortable {
  readonly transport: Transport
}

/** One question to a service. */
export interface Question {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** In words: `get a certificate`. */
  readonly operation: string
  /** Of the error: `CERTIFICATE_FAILED`. */
  readonly code: string
  /** Statuses that are answers. */
  readonly accepts: readonly number[]
  readonly maxBytes: number
  /** What to do about a refusal that will be the same next time. */
  readonly hint?: (status: number, detail: string) => string | undefined
  /** Not to be repeated, should the service repeat it. */
  readonly secret?: string
}

/** Rekor 2 answers when an entry is in the tree, which takes seconds; all of them are asked for little. */
const ANSWER_MS = 30_000
const MAX_EXCERPT_BYTES = 16 << 10
const MAX_CHARS = 400

/**
 * Asks a service of sigstore. All that is asked here is safe to ask again, so the transport does.
 *
 * @throws {ServiceError} for every other status, and where there was no answer
 */
export async function ask(question: Question, { transport, signal }: ServiceIo): Promise<HttpResponse> {
  const { method, url, headers, body, operation, code, accepts, maxBytes: wholeBodyBytes } = question
  let response: HttpResponse
  try {
    const sent = body && bytesBody(body)
    // What is sent may be a token, which is for this address and no other.
    const redirect = body ? 'manual' : 'follow'
    const request = {
      method,
      url,
      headers: { ...headers },
      body: sent,
      answerMs: ANSWER_MS,
      redirect,
      operation,
      wholeBodyBytes,
      signal,
    } as const
    response = await transport.request(request)
  } catch (error) {
    if (error instanceof HttpError) throw unanswered(question, error)
    throw error
  }
  const { status } = response
  if (accepts.includes(status)) return response
  const detail = detailOf(await response.excerpt(MAX_EXCERPT_BYTES), question.secret)
  const retriable = isRetriable(status)
  const attempts = response.attempts > 1 ? `, ${response.attempts} attempts` : ''
  const said = detail === '' ? `${status}` : `${status} ${detail}`
  const message = `${url.host}: could not ${operation}: ${said} (${method} ${redactUrl(response.url)}${attempts})`
  const elsewhere = status >= 300 && status < 400 ? movedTo(response) : undefined
  const hint = elsewhere ?? (retriable ? later(url) : question.hint?.(status, detail))
  throw new ServiceError({ code, message, host: url.host, status, detail, retriable }, { hint })
}

/** An address below that of a service. */
export function below(url: string, path: string): URL {
  return new URL(path, url.endsWith('/') ? url : `${url}/`)
}

function unanswered({ code, url }: Question, error: HttpError): ServiceError {
  const { message, host, reason: detail, retriable } = error
  const hint = error.hint ?? (retriable ? later(url) : undefined)
  return new ServiceError({ code, message, host, status: 0, detail, retriable }, { cause: error, hint })
}

function movedTo(response: HttpResponse): string {
  const location = response.header('location') ?? ''
  const address = URL.canParse(location, response.url.href) ? redactUrl(new URL(location, response.url)) : 'nowhere'
  return `it sends elsewhere, to ${address}: if that is right, name that address`
}

/** The transport has been patient already. */
function later({ hostname }: URL): string {
  const status = hostname.endsWith('.sigstore.dev') ? '; https://status.sigstore.dev shows outages' : ''
  return `run it again later: what is published already is not sent again${status}`
}

/** Fulcio and Rekor 2 (gRPC), Rekor 1 and GitHub put it alike; `error` is what proxies say. */
const refusal = v.object({ message: v.optional(v.string()), error: v.optional(v.string()) })

/** The words of a service, on one line. */
function detailOf(body: string, secret: string | undefined): string {
  const { success, output } = v.safeParse(v.pipe(v.string(), v.parseJson(), refusal), body)
  const text = success ? (output.message ?? output.error ?? '') : /^\s*</.test(body) ? 'a web page' : body
  const shown = secret ? text.replaceAll(secret, '…') : text
  const line = shown.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
  return line.length > MAX_CHARS ? `${line.slice(0, MAX_CHARS)}…` : line
}
