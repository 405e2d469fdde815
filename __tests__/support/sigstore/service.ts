import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export type ServiceName = 'oidc' | 'fulcio' | 'rekor' | 'tsa' | 'github'

/** A request as a service saw it. */
export interface LoggedRequest {
  readonly service: ServiceName
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Buffer
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** What goes wrong with one request: another answer, none and the connection closed, or none at all. */
export type Fault = Reply | 'drop' | 'hang'

export interface Service {
  /** Without a slash at the end. */
  readonly url: string
  /** The next requests, one each. */
  readonly fail: (...faults: readonly Fault[]) => void
  /** Nothing listens there any more. */
  readonly stop: () => Promise<void>
}

/** A service on a free loopback port, to which things can go wrong. */
export async function startService(
  service: ServiceName,
  answer: (request: LoggedRequest) => Reply | Promise<Reply>,
  log: LoggedRequest[],
): Promise<Service> {
  const faults: Fault[] = []
  const respond = async (incoming: IncomingMessage): Promise<Fault> => {
    const { method = '', url: path = '', headers } = incoming
    const request = { service, method, path, headers, body: await bytesOf(incoming) }
    log.push(request)
    return faults.shift() ?? (await answer(request))
  }
  const server = createServer((incoming, outgoing) => {
    respond(incoming).then(
      reply => {
        if (reply === 'drop') incoming.socket.destroy()
        else if (reply !== 'hang') outgoing.writeHead(reply.status, { ...reply.headers }).end(reply.body)
      },
      (error: unknown) => outgoing.writeHead(500).end(JSON.stringify({ code: 500, message: String(error) })),
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    fail: (...more) => void faults.push(...more),
    stop: async () => {
      server.closeAllConnections()
      if (server.listening) await new Promise(resolve => server.close(resolve))
    },
  }
}

export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) }
}

async function bytesOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
