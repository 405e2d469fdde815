import type { ErrorContext } from '../errors.ts'
import { sleep as realSleep } from '../async/sleep.ts'
import { RetryBudget } from './budget.ts'
import type { TlsOptions } from './connect.ts'
import { Connections } from './connect.ts'
import type { HttpErrorFacts } from './error.ts'
import { HttpError } from './error.ts'
import type { HttpEvent } from './event.ts'
import type { Timeouts } from './exchange.ts'
import { Lost, exchange } from './exchange.ts'
import type { Failure } from './failure.ts'
import { classify } from './failure.ts'
import type { Clock, Pass } from './gate.ts'
import { Gate } from './gate.ts'
import type { ProxyEnv } from './proxy.ts'
import { collect, drain, isBodiless, readBody } from './read.ts'
import { redactUrl } from './redact.ts'
import type { Hop } from './redirect.ts'
import { redirect } from './redirect.ts'
import type { Reply } from './response.ts'
import { requestIdOf, toResponse, valuesOf } from './response.ts'
import type { Outcome, Verdict } from './retry.ts'
import { REQUEST, isRetriable, judge, retryAfterMs } from './retry.ts'
import type { HttpRequest, HttpResponse, Transport } from './transport.ts'
import { warningsOf } from './warning.ts'

export interface TransportOptions {
  /** Of oci-publish, for User-Agent. */
  readonly version: string
  /** HTTPS_PROXY, HTTP_PROXY, NO_PROXY and NODE_EXTRA_CA_CERTS are read from it. Default: none. */
  readonly env?: ProxyEnv
  readonly tls?: TlsOptions
  /** Requests to one host that wait for an answer, counted apart for those with and without a body. */
  readonly concurrency?: number
  readonly onEvent?: (event: HttpEvent) => void
  readonly timeouts?: Partial<Timeouts>
  /** For tests, which do not wait. */
  readonly clock?: Clock
  readonly random?: () => number
}

const TIMEOUTS: Timeouts = { connectMs: 10_000, answerMs: 60_000, uploadedMs: 300_000, silenceMs: 60_000 }
const CONCURRENCY = 16
/** Above what the gate lets through, since an answer that is being read has left the gate but keeps its connection. */
const CONNECTIONS = 64
const CLOCK: Clock = { now: () => Date.now(), sleep: realSleep }

/** The transport of the product: node:http with everything that registries and networks taught us around it. */
export function createTransport(options: TransportOptions): Transport {
  return new HttpTransport(options)
}

/** What is shared by all requests to one origin. */
interface Host {
  readonly gate: Gate
  readonly budget: RetryBudget
}

/** One attempt, redirects included, and the host that had the last word. */
type Attempt = Answered | Unanswered

interface Answered {
  readonly reply: Reply
  /** The body, when the request wants it whole. */
  readonly whole: Uint8Array | undefined
  readonly host: Host
  readonly pass: Pass
}

interface Unanswered {
  readonly failure: Failure
  readonly cause: unknown
  readonly url: URL
  readonly host: Host
}

class HttpTransport implements Transport {
  readonly #connections: Connections
  readonly #timeouts: Timeouts
  readonly #clock: Clock
  readonly #random: () => number
  readonly #onEvent: (event: HttpEvent) => void
  readonly #concurrency: number
  readonly #userAgent: string
  readonly #hosts = new Map<string, Host>()
  readonly #warned = new Set<string>()

  constructor({
    version,
    env = {},
    tls = {},
    concurrency = CONCURRENCY,
    onEvent = () => undefined,
    timeouts = {},
    clock = CLOCK,
    random = Math.random,
  }: TransportOptions) {
    this.#timeouts = { ...TIMEOUTS, ...timeouts }
    this.#connections = new Connections({
      env,
      tls,
      connectMs: this.#timeouts.connectMs,
      connections: CONNECTIONS,
    })
    this.#clock = clock
    this.#random = random
    this.#onEvent = onEvent
    this.#concurrency = concurrency
    this.#userAgent = `oci-publish/${version}`
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    for (let attempts = 1; ; attempts++) {
      request.signal?.throwIfAborted()
      const attempt = await this.#attempt(request)
      const nowMs = this.#clock.now()
      const minMs = 'reply' in attempt ? retryAfterMs(headerOf(attempt.reply, 'retry-after'), nowMs) : 0
      const verdict = judge(REQUEST, attempts, outcomeOf(attempt), minMs, this.#random())
      const spent = settle(attempt, verdict, minMs, nowMs)
      if ('final' in verdict || spent !== undefined || request.retry === 'never') {
        if ('failure' in attempt) throw lost(request, attempt, attempts, spent)
        return answer(request, attempt, attempts, 'final' in verdict ? verdict.final : spent)
      }
      this.#tellRetry(request, attempt, attempts, verdict.waitMs)
      if ('reply' in attempt) await drain(attempt.reply.message)
      await this.#clock.sleep(verdict.waitMs, request.signal)
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the type leaves room for a slow end
  async close(): Promise<void> {
    this.#connections.close()
  }

  async #attempt(request: HttpRequest): Promise<Attempt> {
    const { method, url, signal, body } = request
    const headers = { 'user-agent': this.#userAgent, ...request.headers }
    let hop: Hop = { method, url, headers, sendBody: body !== undefined }
    for (let hops = 0; ; hops++) {
      const host = this.#host(hop.url)
      const pass = await host.gate.enter(hop.sendBody ? 'send' : 'ask', signal)
      try {
        const call = { ...hop, body: hop.sendBody ? body : undefined, signal }
        const message = await exchange(call, this.#connections, this.#timeouts)
        const reply = { message, method: hop.method, url: hop.url, signal, silenceMs: this.#timeouts.silenceMs }
        this.#tellWarnings(reply)
        const next = request.redirect === 'manual' ? undefined : follow(request, hop, reply, hops)
        if (!next) return { reply, whole: await readWhole(request, reply), host, pass }
        await drain(message)
        pass.served()
        hop = next
      } catch (error) {
        if (!(error instanceof Lost)) throw error
        return { failure: classify(error.cause), cause: error.cause, url: hop.url, host }
      } finally {
        pass.leave()
      }
    }
  }

  #host(url: URL): Host {
    const known = this.#hosts.get(url.origin)
    if (known) return known
    const host = { gate: new Gate(this.#concurrency, this.#clock), budget: new RetryBudget() }
    this.#hosts.set(url.origin, host)
    return host
  }

  #tellRetry(request: HttpRequest, attempt: Attempt, attempts: number, waitMs: number): void {
    const failed = 'reply' in attempt ? attempt.reply : undefined
    this.#onEvent({
      type: 'retry',
      host: ('reply' in attempt ? attempt.reply.url : attempt.url).host,
      operation: request.operation ?? request.method,
      reason: 'failure' in attempt ? attempt.failure.words : `${statusOf(attempt.reply)}`,
      attempt: attempts,
      attempts: ('failure' in attempt ? attempt.failure.attempts : undefined) ?? REQUEST.attempts,
      waitMs,
      requestId: failed && requestIdOf(name => headerOf(failed, name)),
    })
  }

  #tellWarnings({ message, url }: Reply): void {
    for (const text of warningsOf(valuesOf(message, 'warning'))) {
      const key = `${url.host} ${text}`
      if (!this.#warned.has(key)) this.#onEvent({ type: 'warning', host: url.host, text })
      this.#warned.add(key)
    }
  }
}

/** Where a redirect leads, if it is one and is followed. */
function follow(request: HttpRequest, hop: Hop, reply: Reply, hops: number): Hop | undefined {
  if (request.redirect === 'manual') return undefined
  const next = redirect(hop, statusOf(reply), headerOf(reply, 'location'), hops)
  if (next === undefined || 'hop' in next) return next?.hop
  reply.message.destroy()
  throw errorOf(request, hop.url, { code: 'REDIRECT_REFUSED', reason: next.refused, attempts: 1, retriable: false })
}

/** Tells gate and budget of the host how it went. @returns why there must be no other attempt, in words */
function settle(attempt: Attempt, verdict: Verdict, minMs: number, nowMs: number): string | undefined {
  const { host } = attempt
  if ('failure' in attempt) return host.budget.failed(nowMs)
  const status = statusOf(attempt.reply)
  if (!isRetriable(status)) {
    attempt.pass.served()
    host.budget.answered()
    return undefined
  }
  if (status === 429 || status === 503) attempt.pass.throttled('waitMs' in verdict ? verdict.waitMs : 0)
  // Who says when to come back is alive: it costs time, not budget.
  return status === 429 || minMs > 0 ? undefined : host.budget.failed(nowMs)
}

function outcomeOf(attempt: Attempt): Outcome {
  return 'reply' in attempt ? { status: statusOf(attempt.reply) } : { failure: attempt.failure }
}

function answer(
  request: HttpRequest,
  { reply, whole }: Answered,
  attempts: number,
  because: string | undefined,
): HttpResponse {
  return toResponse(reply, {
    attempts,
    gaveUp: isRetriable(statusOf(reply)) ? because : undefined,
    whole,
    broken: cause => (cause instanceof Lost ? brokenOff(request, reply, cause, attempts) : cause),
    tooLarge: maxBytes => tooLarge(request, reply, maxBytes),
  })
}

/** @throws {Lost} {HttpError} */
async function readWhole(request: HttpRequest, reply: Reply): Promise<Uint8Array | undefined> {
  if (isBodiless(reply.method, reply.message)) {
    await drain(reply.message) // free without a word from the caller
    return undefined
  }
  const { wholeBodyBytes: maxBytes } = request
  if (maxBytes === undefined || Math.floor(statusOf(reply) / 100) !== 2) return undefined
  const whole = await collect(readBody(reply.message, reply.silenceMs, reply.signal), maxBytes)
  if (!whole) throw tooLarge(request, reply, maxBytes)
  return whole
}

function lost(
  request: HttpRequest,
  { failure, cause, url }: Unanswered,
  attempts: number,
  spent: string | undefined,
): HttpError {
  const { words, hint } = failure
  const retriable = failure.retriable && spent === undefined && attempts < (failure.attempts ?? Infinity)
  const reason = spent === undefined ? words : `${words}; ${spent}`
  return errorOf(request, url, { code: 'UNREACHABLE', reason, attempts, retriable }, { cause, hint })
}

function brokenOff(request: HttpRequest, { url }: Reply, { cause }: Lost, attempts: number): HttpError {
  const { words, retriable } = classify(cause)
  const reason = `the answer broke off: ${words}`
  return errorOf(request, url, { code: 'UNREACHABLE', reason, attempts, retriable }, { cause })
}

function tooLarge(request: HttpRequest, { url }: Reply, maxBytes: number): HttpError {
  const reason = `the answer is larger than ${maxBytes} bytes`
  return errorOf(request, url, { code: 'ANSWER_TOO_LARGE', reason, attempts: 1, retriable: false })
}

function errorOf(
  { method, operation = method }: HttpRequest,
  url: URL,
  facts: Pick<HttpErrorFacts, 'code' | 'reason' | 'attempts' | 'retriable'>,
  context: ErrorContext = {},
): HttpError {
  return new HttpError({ host: url.host, method, url: redactUrl(url), operation, ...facts }, context)
}

function statusOf({ message }: Reply): number {
  return message.statusCode ?? 0
}

function headerOf({ message }: Reply, name: string): string | undefined {
  return valuesOf(message, name)[0]
}
