import type { Abortable } from '../async/abortable.ts'
import { sleep } from '../async/sleep.ts'
import { OciPublishError } from '../errors.ts'
import { HttpError } from '../http/error.ts'
import { isLoopback } from '../http/plain.ts'
import { REQUEST, isRetriable, judge, retryAfterMs } from '../http/retry.ts'
import type { HttpRequest, HttpResponse, Transport } from '../http/transport.ts'
import { quoted } from '../oci/quoted.ts'
import { causeCodes } from './hint.ts'

/** A request to a registry, before it is known by which scheme the registry is reached. */
export type EndpointRequest = Omit<HttpRequest, 'url'> & {
  /** A path of ours from the root, `/v2/team/app/tags/list`, or a URL of the registry's own origin. */
  readonly to: string | URL
}

export interface EndpointDeps {
  readonly transport: Transport
  /** Host and port of registries that are reached without TLS because the user said so. */
  readonly plainHttp: ReadonlySet<string>
  /** For tests, which do not wait. */
  readonly sleep?: ((waitMs: number, signal?: AbortSignal) => Promise<void>) | undefined
  /** In [0, 1). */
  readonly random?: (() => number) | undefined
}

/** Docker Hub's registry has another name than its references. */
const SERVERS: Readonly<Record<string, string>> = { 'docker.io': 'registry-1.docker.io' }

const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_/

/**
 * Where a registry is reached. Loopback hosts are plain http unless only https answers there; that is found out with the
 * first request itself, so that the usual local registry is asked nothing extra. All others are https, or plain http by
 * the user's own word: never because https failed.
 */
export class Endpoint {
  readonly #transport: Transport
  readonly #authority: string
  readonly #sleep: (waitMs: number, signal?: AbortSignal) => Promise<void>
  readonly #random: () => number
  #base: URL | undefined
  #trial: Promise<unknown> | undefined

  /** @param host normalised, with its port if it has one */
  constructor(host: string, { transport, plainHttp, ...deps }: EndpointDeps) {
    this.#transport = transport
    this.#sleep = deps.sleep ?? sleep
    this.#random = deps.random ?? Math.random
    this.#authority = SERVERS[host] ?? host
    if (plainHttp.has(host)) this.#base = this.#url('http:')
    else if (!isLoopback(host)) this.#base = this.#url('https:')
  }

  async send(request: EndpointRequest): Promise<HttpResponse> {
    const wait = this.#base ? undefined : this.#trial
    if (wait) await wait.catch(() => undefined) // whoever goes first tells its own failure
    request.signal?.throwIfAborted()
    if (this.#base) return this.#ask(this.#base, request)
    const trial = this.#try(request)
    this.#trial = trial
    try {
      return await trial
    } finally {
      if (this.#trial === trial) this.#trial = undefined
    }
  }

  async #try(request: EndpointRequest): Promise<HttpResponse> {
    const plain = this.#url('http:')
    const first = await this.#ask(plain, { ...request, retry: 'never' }).catch((error: unknown) => {
      if (error instanceof HttpError) return error
      throw error
    })
    if (!(first instanceof HttpError) && first.status !== 400) {
      this.#base = plain
      if (!isRetriable(first.status) || first.gaveUp !== undefined || request.retry === 'never') return first
      await first.discard() // the answer of a registry that is there, and busy
      await this.#backOff(first, request)
      return this.#ask(plain, request)
    }
    const nobody = first instanceof HttpError && causeCodes(first).includes('ECONNREFUSED')
    if (!(first instanceof HttpError)) await first.discard()
    // TLS servers answer plain http with 400 or with a cut. A registry that is only just starting refuses.
    if (!nobody && (await this.#speaksTls(request))) this.#base = this.#url('https:')
    else if (!(first instanceof HttpError)) this.#base = plain
    return this.#ask(this.#base ?? plain, request)
  }

  /** What the transport does between two attempts: it was told to make one, for the next might have had to be by TLS. */
  async #backOff(response: HttpResponse, { signal }: Abortable): Promise<void> {
    const { status } = response
    if (status === 429 || status === 503) return // then it lets nobody through to the host for that long
    const minMs = retryAfterMs(response.header('retry-after'), Date.now())
    const verdict = judge(REQUEST, 1, { status }, minMs, this.#random())
    if ('waitMs' in verdict) await this.#sleep(verdict.waitMs, signal)
  }

  async #speaksTls({ signal }: Abortable): Promise<boolean> {
    try {
      const url = new URL('/v2/', this.#url('https:'))
      const response = await this.#transport.request({ method: 'GET', url, retry: 'never', signal })
      await response.discard()
      return true
    } catch (error) {
      signal?.throwIfAborted()
      // A certificate that nobody trusts is TLS all the same, and what the user has to be told about.
      return causeCodes(error).some(code => UNTRUSTED.test(code))
    }
  }

  #ask(base: URL, { to, ...request }: EndpointRequest): Promise<HttpResponse> {
    return this.#transport.request({ ...request, url: typeof to === 'string' ? urlOf(to, base) : to })
  }

  #url(protocol: 'http:' | 'https:'): URL {
    return new URL(`${protocol}//${this.#authority}/`)
  }

  /** Where the registry was reached last. */
  get base(): URL {
    return this.#base ?? this.#url('http:')
  }
}

/**
 * The last line of defense against a name that would change a path: what was asked for is what is sent, byte for byte.
 * The parts of a path were parsed before they came here.
 *
 * @throws {OciPublishError} INVALID_PATH for `..`, `%`, `#`, another host, and all that URL parsing changes
 */
function urlOf(to: string, base: URL): URL {
  const [path = ''] = to.split('?', 1)
  const url = URL.canParse(to, base.href) ? new URL(to, base) : undefined
  if (url?.origin === base.origin && url.pathname === path && url.hash === '' && !path.includes('%')) return url
  throw new OciPublishError('INVALID_PATH', `${base.host}: ${quoted(to)} is not a path of a registry; nothing was sent`)
}
