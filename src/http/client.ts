import { sleep } from '../async/sleep.ts'
import { answer, errorOf, lost, readWhole } from './answer.ts'
import type { Attempt, Host } from './attempt.ts'
import { outcomeOf, retryEvent, settle } from './attempt.ts'
import { RetryBudget } from './budget.ts'
import { certificateFolders } from './certs-d.ts'
import { Connections } from './connect.ts'
import type { HttpEvent } from './event.ts'
import type { Timeouts } from './exchange.ts'
import { Lost, exchange } from './exchange.ts'
import { classify } from './failure.ts'
import type { Clock } from './gate.ts'
import { Gate } from './gate.ts'
import type { ProxyEnv } from './proxy.ts'
import { drain } from './read.ts'
import type { Hop } from './redirect.ts'
import { redirect } from './redirect.ts'
import type { Reply } from './response.ts'
import { headerOf, statusOf, valuesOf } from './response.ts'
import { REQUEST, judge, retryAfterMs } from './retry.ts'
import type { HttpRequest, HttpResponse, Transport } from './transport.ts'
import type { TlsOptions } from './trust.ts'
import { warningsOf } from './warning.ts'

export interface TransportOptions {
  /** Of oci-publish, for User-Agent. */
  readonly version: string
  /** HTTPS_PROXY, HTTP_PROXY, NO_PROXY, NODE_EXTRA_CA_CERTS and where home is are read from it. Default: none. */
  readonly env?: ProxyEnv
  /** `folders` are by default those of docker and podman. */
  readonly tls?: TlsOptions
  /** Requests to one host that wait for an answer, counted apart for those with and without a body. */
  readonly concurrency?: number
  readonly onEvent?: (event: HttpEvent) => void
  readonly timeouts?: Partial<Timeouts>
  /** For tests, which do not wait. */
  readonly clock?: Clock
  readonly random?: () => number
}

/**
 * The least rate is that of a bad mobile line, 1 KiB/s over a minute, for documents as for layers: slower ones would not be
 * done in the hours that a job may take.
 */
const TIMEOUTS: Timeouts = {
  ...{ connectMs: 10_000, answerMs: 60_000, uploadedMs: 300_000, silenceMs: 60_000 },
  ...{ paceMs: 60_000, paceBytes: 60 << 10, excerptMs: 10_000 },
}
/** Warnings of hosts that are told in a run, and characters of each. */
const MAX_WARNINGS = 50
const MAX_WARNING = 500
const CONCURRENCY = 16
/** Above what the gate lets through, since an answer that is being read has left the gate but keeps its connection. */
const CONNECTIONS = 64
/** The time of day, which Retry-After needs, of a clock that nobody sets while the run lasts. */
const CLOCK: Clock = { now: () => performance.timeOrigin + performance.now(), sleep }

/** The transport of the product: node:http with everything that registries and networks taught us around it. */
export function createTransport(options: TransportOptions): Transport {
  return new HttpTransport(options)
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
      tls: { folders: certificateFolders(env), ...tls },
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
      this.#onEvent(retryEvent(request, attempt, attempts, verdict.waitMs))
      if ('reply' in attempt) await drain(attempt.reply.message)
      await this.#clock.sleep(verdict.waitMs, request.signal)
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the type leaves room for a slow end
  async close(): Promise<void> {
    this.#connections.close()
  }

  async #attempt(request: HttpRequest): Promise<Attempt> {
    const { method, url, signal, body, answerMs = Infinity } = request
    const timeouts = {
      ...this.#timeouts,
      answerMs: Math.min(this.#timeouts.answerMs, answerMs),
      uploadedMs: Math.min(this.#timeouts.uploadedMs, answerMs),
    }
    const headers = { 'user-agent': this.#userAgent, ...request.headers }
    let hop: Hop = { method, url, headers, sendBody: body !== undefined }
    for (let hops = 0; ; hops++) {
      const host = this.#host(hop.url)
      const pass = await host.gate.enter(hop.sendBody ? 'send' : 'ask', signal)
      try {
        const call = { ...hop, body: hop.sendBody ? body : undefined, signal }
        const message = await exchange(call, this.#connections, timeouts)
        const reply = { message, method: hop.method, url: hop.url, signal, limits: this.#timeouts }
        this.#tellWarnings(reply)
        const next = follow(request, hop, reply, hops)
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

  #tellWarnings({ message, url }: Reply): void {
    for (const whole of warningsOf(valuesOf(message, 'warning'))) {
      if (this.#warned.size >= MAX_WARNINGS) return
      const text = whole.slice(0, MAX_WARNING)
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
