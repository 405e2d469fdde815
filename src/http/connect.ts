import type { Agent, AgentOptions as HttpAgentOptions, ClientRequestArgs } from 'node:http'
import type { Agent as SecureAgent } from 'node:https'
import type { Duplex } from 'node:stream'
import { WireError } from './failure.ts'
import type { ProxyEnv } from './proxy.ts'
import { proxyFor } from './proxy.ts'
import type { TlsOptions } from './trust.ts'
import { Trust } from './trust.ts'

// An import of them makes Node fetch every export once, among them WebSocket, which loads a client of another kind: 20 ms
// of every start.
const http: typeof import('node:http') = process.getBuiltinModule('node:http')
const https: typeof import('node:https') = process.getBuiltinModule('node:https')

export interface ConnectionOptions {
  readonly env: ProxyEnv
  readonly tls: TlsOptions
  readonly connectMs: number
  /** Open connections to one origin, idle ones included. */
  readonly connections: number
}

/** How requests to one origin travel. */
export interface Route {
  readonly agent: Agent
  readonly send: typeof http.request
  /** Where `send` connects to; with an agent that tunnels, the far end. */
  readonly target: Readonly<Pick<ClientRequestArgs, 'hostname' | 'port'>>
  /** A proxy without a tunnel wants the whole URL. */
  readonly path: (url: URL) => string
  readonly headers: Readonly<Record<string, string>>
}

type Connect = NonNullable<ClientRequestArgs['createConnection']>

/** Idle longer than this, a connection may have been closed at the far end by whatever is on the way. */
const IDLE_MS = 15_000
/** Node's own 250 ms gives up on every address of a host that is merely far away. */
const NEXT_ADDRESS_MS = 1_000

const noop = (): void => undefined

/** Connections kept open and shared, one pool an origin. */
export class Connections {
  readonly #options: ConnectionOptions
  readonly #routes = new Map<string, Route>()
  readonly #closing = new AbortController()
  readonly #trust: Trust

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#trust = new Trust(options.tls, options.env)
  }

  /** @throws {OciPublishError} INVALID_PROXY, when the environment names a proxy that cannot be used */
  to(url: URL): Route {
    if (this.#closing.signal.aborted) throw new Error('the transport is closed')
    const known = this.#routes.get(url.origin)
    if (known) return known
    const route = this.#open(url, proxyFor(url, this.#options.env))
    this.#routes.set(url.origin, route)
    return route
  }

  close(): void {
    this.#closing.abort()
    for (const { agent } of this.#routes.values()) agent.destroy()
    this.#routes.clear()
  }

  #open(url: URL, proxy: URL | undefined): Route {
    const path = (to: URL): string => `${to.pathname}${to.search}`
    if (url.protocol === 'https:') {
      return { agent: this.#secureAgent(url, proxy), send: https.request, target: addressOf(url), path, headers: {} }
    }
    if (proxy === undefined) {
      return { agent: this.#plainAgent(), send: http.request, target: addressOf(url), path, headers: {} }
    }
    return {
      agent: proxy.protocol === 'https:' ? this.#secureAgent(proxy, undefined) : this.#plainAgent(),
      send: proxy.protocol === 'https:' ? https.request : http.request,
      target: addressOf(proxy),
      path: to => `${to.origin}${path(to)}`,
      headers: { host: url.host, ...authorization(proxy) },
    }
  }

  #plainAgent(): Agent {
    const agent = new http.Agent(this.#agentOptions())
    const connect: Connect = agent.createConnection.bind(agent)
    agent.createConnection = (options, callback = noop) => {
      this.#establish(connect(options, noop), 'connect', options, callback)
      return undefined
    }
    return agent
  }

  #secureAgent(url: URL, proxy: URL | undefined): SecureAgent {
    const agent = new https.Agent({ ...this.#agentOptions(), secureContext: this.#trust.contextFor(url) })
    const connect: Connect = agent.createConnection.bind(agent)
    agent.createConnection = (options, callback = noop) => {
      if (proxy === undefined) this.#establish(connect(options, noop), 'secureConnect', options, callback)
      else {
        this.#tunnel(url, proxy).then(
          socket => {
            this.#establish(
              connect({ ...options, socket } as ClientRequestArgs, noop),
              'secureConnect',
              options,
              callback,
            )
          },
          (error: unknown) => {
            callback(error as Error, undefined as never)
          },
        )
      }
      return undefined
    }
    return agent
  }

  #agentOptions(): HttpAgentOptions & { autoSelectFamilyAttemptTimeout: number } {
    return {
      keepAlive: true,
      scheduling: 'lifo',
      maxSockets: this.#options.connections,
      timeout: IDLE_MS,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    }
  }

  /** Hands the connection over when it can be used, not before, so that no source is opened for a host that is down. */
  #establish(
    socket: Duplex | null | undefined,
    ready: 'connect' | 'secureConnect',
    { hostname, host }: ClientRequestArgs,
    callback: (error: Error | null, socket: Duplex) => void,
  ): void {
    if (!socket) return
    const { connectMs } = this.#options
    const timer = setTimeout(() => {
      const where = hostname ?? host ?? 'the host'
      socket.destroy(new WireError('CONNECT_TIMEOUT', `no connection to ${where} within ${connectMs / 1000} s`))
    }, connectMs)
    const done = (error: Error | null): void => {
      clearTimeout(timer)
      socket.off(ready, onReady).off('error', done).off('close', onClose)
      if (error) socket.on('error', noop) // what follows the first error is of no interest
      callback(error, socket)
    }
    const onReady = (): void => {
      done(null)
    }
    const onClose = (): void => {
      done(Object.assign(new Error('closed while connecting'), { code: 'ECONNRESET' }))
    }
    socket.once(ready, onReady).once('error', done).once('close', onClose)
  }

  async #tunnel(to: URL, proxy: URL): Promise<Duplex> {
    const secure = proxy.protocol === 'https:'
    const authority = `${to.hostname}:${portOf(to)}`
    const request = (secure ? https.request : http.request)({
      method: 'CONNECT',
      ...addressOf(proxy),
      path: authority,
      headers: { host: authority, ...authorization(proxy) },
      agent: false,
      signal: this.#closing.signal,
      ...(secure && { secureContext: this.#trust.contextFor(proxy) }),
    })
    const { connectMs } = this.#options
    const timer = setTimeout(() => {
      request.destroy(new Error(`no answer within ${connectMs / 1000} s`))
    }, connectMs)
    return new Promise<Duplex>((resolve, reject) => {
      const refused = (status: number): void => {
        const wants = status === 407 ? ', it wants other credentials' : ''
        const code = status >= 500 || status === 429 ? 'PROXY_BUSY' : 'PROXY_REFUSED'
        reject(new WireError(code, `the proxy ${proxy.host} answered ${status}${wants}`))
      }
      request.once('connect', ({ statusCode = 0 }, socket, head) => {
        clearTimeout(timer)
        if (statusCode === 200) {
          if (head.length > 0) socket.unshift(head)
          resolve(socket)
        } else {
          socket.destroy()
          refused(statusCode)
        }
      })
      request.on('error', cause => {
        clearTimeout(timer)
        reject(new WireError('PROXY_BUSY', `the proxy ${proxy.host} cannot be reached: ${cause.message}`, { cause }))
      })
      request.end()
    })
  }
}

function addressOf(url: URL): { hostname: string; port: number } {
  return { hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: portOf(url) }
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port)
  return protocol === 'https:' ? 443 : 80
}

function authorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {}
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(plain).toString('base64')}` }
}
