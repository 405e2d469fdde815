import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { ServerOptions } from 'node:https'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'

/** Reads the whole request, then answers. */
export interface AnswerStep {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Uint8Array
  /** Destroys the connection after so many bytes of `body`, which Content-Length announces in full. */
  readonly cutAfter?: number
  /** Stops after so many bytes of `body`, with the connection open. */
  readonly hangAfter?: number
}

/** What the server does with one request. Without a step left it answers 200 with an empty body. */
export type Step =
  | AnswerStep
  /** Answers at once, without reading the body. */
  | { readonly early: number; readonly headers?: Readonly<Record<string, string>> }
  /** Resets the connection after so many bytes of the request's body, 0 being right after its head. */
  | { readonly resetAfter: number }
  /** Reads the whole request and then closes without an answer. */
  | { readonly drop: true }
  /** Reads the request and never answers; with `reading: false` it does not even read the body. */
  | { readonly hang: true; readonly reading?: boolean }
  /** Anything else. */
  | { readonly handle: (request: IncomingMessage, response: ServerResponse) => void }

/** A request as the server saw it. */
export interface Seen {
  readonly method: string
  /** Path and query. */
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Bytes of the body that arrived. */
  bytes: number
  /** The body, up to 64 KiB of it. */
  body: string
  /** Counts connections from 1. */
  readonly connection: number
}

/** A server that follows a script, request by request, and remembers what it was asked. */
export interface FaultServer extends AsyncDisposable {
  readonly url: URL
  /** Host and port. */
  readonly host: string
  readonly seen: readonly Seen[]
  /** Adds steps to the script. */
  plan(...steps: readonly Step[]): void
  /** Resolves when so many requests have arrived. */
  arrived(count: number): Promise<void>
  stop(): Promise<void>
}

export interface FaultServerOptions {
  /** Speaks TLS with these. */
  readonly tls?: ServerOptions
}

/** Listens on a free loopback port. */
export async function startFaultServer(
  steps: readonly Step[] = [],
  { tls }: FaultServerOptions = {},
): Promise<FaultServer> {
  const script = [...steps]
  const seen: Seen[] = []
  const connections = new Map<unknown, number>()
  let waiting: { readonly count: number; readonly resolve: () => void }[] = []

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const step = script.shift() ?? { status: 200 }
    const entry: Seen = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
      bytes: 0,
      body: '',
      connection: connections.get(request.socket) ?? 0,
    }
    seen.push(entry)
    waiting
      .filter(({ count }) => seen.length >= count)
      .forEach(({ resolve }) => {
        resolve()
      })
    waiting = waiting.filter(({ count }) => seen.length < count)
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    void act(step, request, response, entry)
  }

  const server: Server = tls ? createTlsServer(tls, serve) : createServer(serve)
  server.on(tls ? 'secureConnection' : 'connection', (socket: unknown) => {
    connections.set(socket, connections.size + 1)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = new URL(`${tls ? 'https' : 'http'}://127.0.0.1:${port}/`)

  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    if (server.listening) await new Promise(resolve => server.close(resolve))
  }
  return {
    url,
    host: url.host,
    seen,
    plan: (...more) => void script.push(...more),
    arrived: async count => {
      if (seen.length < count) await new Promise<void>(resolve => waiting.push({ count, resolve }))
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function act(step: Step, request: IncomingMessage, response: ServerResponse, entry: Seen): Promise<void> {
  if ('handle' in step) {
    step.handle(request, response)
  } else if ('early' in step) {
    response.writeHead(step.early, step.headers)
    response.end()
  } else if ('resetAfter' in step) {
    const { socket } = request // gone from the request once its stream is left
    if (step.resetAfter > 0)
      await readUpTo(request, step.resetAfter, entry, () => {
        reset(socket)
      })
    else reset(socket)
  } else if ('hang' in step) {
    if (step.reading !== false) await readUpTo(request, Infinity, entry)
  } else {
    await readUpTo(request, Infinity, entry)
    if ('drop' in step) request.socket.destroy()
    else answer(step, request, response)
  }
}

function answer(step: AnswerStep, request: IncomingMessage, response: ServerResponse): void {
  const bytes = Buffer.from(step.body ?? '')
  const headers = Object.fromEntries(
    Object.entries(step.headers ?? {}).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  )
  response.writeHead(step.status, { 'content-length': bytes.byteLength, ...headers })
  const part = step.cutAfter ?? step.hangAfter
  if (part === undefined) {
    response.end(bytes)
    return
  }
  response.flushHeaders()
  const done = (): void => {
    if (step.cutAfter !== undefined) setImmediate(() => request.socket.destroy())
  }
  if (part === 0) done()
  else response.write(bytes.subarray(0, part), done)
}

/** Reads until so many bytes have come, or all. */
async function readUpTo(
  request: IncomingMessage,
  bytes: number,
  entry: Seen,
  then = (): void => undefined,
): Promise<void> {
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      entry.bytes += chunk.byteLength
      if (entry.body.length < 64 * 1024) entry.body += chunk.toString('latin1')
      if (entry.bytes < bytes) continue
      then()
      return
    }
  } catch {
    // The client has gone.
  }
}

function reset(socket: Socket): void {
  if ('encrypted' in socket) socket.destroy()
  else socket.resetAndDestroy()
}
