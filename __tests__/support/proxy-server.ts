import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer, request as forward } from 'node:http'
import type { ServerOptions } from 'node:https'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { connect } from 'node:net'

export interface ProxyServer extends AsyncDisposable {
  readonly url: URL
  /** Request lines, and what was sent to authenticate. */
  readonly seen: readonly { readonly line: string; readonly authorization: string | undefined }[]
}

export interface ProxyServerOptions {
  /** Answers every CONNECT with this status. */
  readonly refuse?: number
  /** Wants to be spoken to in TLS. */
  readonly tls?: ServerOptions
}

/** A forward proxy for which every host name is one port of this machine: it proves that nobody went around it. */
export async function startProxyServer(
  targetPort: number,
  { refuse, tls }: ProxyServerOptions = {},
): Promise<ProxyServer> {
  const seen: { line: string; authorization: string | undefined }[] = []
  const sockets = new Set<Socket>()
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const { method = '', url = '', headers } = request
    seen.push({ line: `${method} ${url}`, authorization: headers['proxy-authorization'] })
    const { pathname, search } = new URL(url)
    const rest = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'proxy-authorization'))
    const onward = forward({ port: targetPort, method, path: pathname + search, headers: rest }, answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    request.pipe(onward)
  }
  const server: Server = tls ? createTlsServer(tls, serve) : createServer(serve)
  server.on('connect', (request, socket: Socket, head: Buffer) => {
    seen.push({ line: `CONNECT ${request.url ?? ''}`, authorization: request.headers['proxy-authorization'] })
    socket.on('error', () => undefined)
    if (refuse !== undefined) {
      socket.end(`HTTP/1.1 ${refuse} No\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    const far = connect(targetPort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n')
      far.write(head)
      far.pipe(socket)
      socket.pipe(far)
    })
    sockets.add(far).add(socket)
    far.on('error', () => socket.destroy())
    socket.on('close', () => far.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: new URL(`${tls ? 'https' : 'http'}://127.0.0.1:${port}/`),
    seen,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
