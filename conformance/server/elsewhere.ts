import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Answer, Exchange } from './answer.ts'
import { Refused, readAll, refuse } from './answer.ts'
import { contentOf } from './blob-routes.ts'
import { Gone, arriving, reset, send } from './connection.ts'
import type { Store } from './store.ts'

/** Headers that are for one origin only. */
const CREDENTIALS = ['authorization', 'cookie', 'proxy-authorization'] as const

/** A request to the other origin. */
interface StrayRequest {
  readonly method: string
  /** Path and query, as they came. */
  readonly target: string
  /** Headers with credentials that came along, with their values. */
  readonly credentials: readonly string[]
}

/**
 * Another origin that clients are sent to: storage with signed addresses, which takes no other credentials, or a place that
 * listens to what it is told.
 */
export interface Elsewhere extends AsyncDisposable {
  readonly url: URL
  readonly requests: readonly StrayRequest[]
  /** Where a blob can be had. */
  storage(repository: string, digest: string): string
}

/** @param route answers what is about uploads, for nothing is asked of who comes here */
export async function startElsewhere(
  store: Store,
  route: (path: string, exchange: Exchange) => Promise<Answer>,
): Promise<Elsewhere> {
  const requests: StrayRequest[] = []
  const signature = randomUUID()

  const work = async (path: string, exchange: Exchange): Promise<Answer> => {
    if (CREDENTIALS.some(name => exchange.headers[name] !== undefined)) {
      refuse({ status: 400, code: 'UNSUPPORTED', message: 'only one auth mechanism allowed' })
    }
    const [, name = '', digest = ''] = /^[/]storage[/](.+)[/](sha\d+:[0-9a-f]+)$/.exec(path) ?? []
    if (name === '') return await route(path, exchange)
    const blob = store.repositories.get(name)?.blobs.get(digest)
    if (!blob || exchange.query.get('signature') !== signature) {
      refuse({ status: 403, code: 'DENIED', message: 'the signature is not that of this address' })
    }
    return contentOf(blob, exchange)
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url: target = '', socket } = request
    const { pathname: path, searchParams: query } = new URL(target, 'http://elsewhere.invalid')
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const credentials = CREDENTIALS.flatMap(name => (headers[name] === undefined ? [] : [`${name}: ${headers[name]}`]))
    requests.push({ method, target, credentials })
    const body = arriving(request, { bodyBytes: 0, whole: false }, Infinity)
    try {
      const answer = await work(path, { method, target, query, headers, body }).catch((error: unknown) => {
        if (error instanceof Refused) return error.answer
        throw error
      })
      await readAll(body)
      await send(response, method, answer, Infinity)
    } catch (error) {
      if (error instanceof Gone) reset(socket)
      else response.writeHead(500).end(String(error))
    }
  }
  const server = createServer((request, response) => {
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    void serve(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, 'localhost', resolve))
  // Of another name too: many clients take all ports of a host for one place, as cookies do.
  const url = new URL(`http://localhost:${(server.address() as AddressInfo).port}/`)
  return {
    url,
    requests,
    storage: (repository, digest) => new URL(`/storage/${repository}/${digest}?signature=${signature}`, url).href,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
