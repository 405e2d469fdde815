import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, createServer, request as ask } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'

/** A request as it went by. */
export interface CountedRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  /** 0 as long as there is no answer. */
  status: number
  /** Bytes of the body, without its framing. */
  requestBytes: number
  responseBytes: number
}

/** Stands in front of a server, changes nothing, and counts. */
export interface CountingProxy extends AsyncDisposable {
  /** `127.0.0.1:port`, which the server behind sees as its own name. */
  readonly host: string
  /** In the order in which they came. */
  readonly requests: readonly CountedRequest[]
}

// Of one connection only (RFC 9110 section 7.6.1); `expect` is answered by the proxy itself.
const OWN_TO_A_CONNECTION = new Set(['connection', 'keep-alive', 'expect'])

export interface ProxyOptions {
  /** A request is held until this is done. */
  readonly before?: (request: CountedRequest) => Promise<void>
}

/** @param target host and port of the server behind, without TLS */
export async function startCountingProxy(target: string, { before }: ProxyOptions = {}): Promise<CountingProxy> {
  const requests: CountedRequest[] = []
  const agent = new Agent({ keepAlive: true })
  const server = createServer((request, response) => {
    const { method = '', url: path = '' } = request
    const entry: CountedRequest = { method, path, status: 0, requestBytes: 0, responseBytes: 0 }
    requests.push(entry)
    const onward = (): void => {
      pass(request, response, target, agent, entry)
    }
    if (before) before(entry).then(onward, () => response.destroy())
    else onward()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    host: `127.0.0.1:${port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      agent.destroy()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function pass(
  request: IncomingMessage,
  response: ServerResponse,
  target: string,
  agent: Agent,
  entry: CountedRequest,
): void {
  const { hostname, port } = new URL(`http://${target}`)
  const onward = ask({ hostname, port, agent, method: entry.method, path: entry.path, headers: onwardHeaders(request) })
  onward.once('response', answer => {
    entry.status = answer.statusCode ?? 0
    response.writeHead(entry.status, answer.statusMessage, onwardHeaders(answer))
    answer.on('data', (chunk: Buffer) => {
      entry.responseBytes += chunk.byteLength
    })
    // What the server cuts is cut for the client, too.
    pipeline(answer, response, () => undefined)
  })
  onward.on('error', () => {
    // A server may answer and hang up before it has read the whole body: then the answer counts.
    request.unpipe(onward)
    request.resume()
    if (!response.headersSent) response.destroy()
  })
  response.once('close', () => {
    if (!response.writableFinished) onward.destroy()
  })
  request.on('data', (chunk: Buffer) => {
    entry.requestBytes += chunk.byteLength
  })
  request.on('error', () => undefined)
  request.pipe(onward)
}

/** Names and values in turn, as they came: repeated headers stay repeated. */
function onwardHeaders({ rawHeaders }: IncomingMessage): string[] {
  return rawHeaders.filter((_, at) => !OWN_TO_A_CONNECTION.has((rawHeaders[at - (at % 2)] ?? '').toLowerCase()))
}
