import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, createServer, request as ask } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How often what goes wrong; shares of 1 but for cuts. */
export interface Unreliability {
  /** Of so many requests with the bytes of a blob, one is cut at a random point. */
  readonly cutOneIn: number
  /** Whether each of them has that chance. Default: of every so many exactly one is cut. */
  readonly byChance?: boolean
  /** Requests that are answered with 503 or 429, some before their body is read and some after. */
  readonly busy: number
  /** Answers that are lost after the work is done. */
  readonly lost: number
}

/** Stands in front of a registry and fails by a seed. */
export interface UnreliableProxy extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly host: string
  /** Bytes of request bodies that arrived here. */
  readonly bytes: number
  readonly requests: number
  readonly cuts: number
  readonly busy: number
  readonly lost: number
}

/** @param target host and port of the registry, without TLS */
export async function startUnreliableProxy(
  target: string,
  seed: number,
  { cutOneIn, byChance = false, busy, lost }: Unreliability,
): Promise<UnreliableProxy> {
  const counts = { bytes: 0, requests: 0, cuts: 0, busy: 0, lost: 0 }
  const seen = new Map<string, number>()
  const agent = new Agent({ keepAlive: true })
  const { hostname, port } = new URL(`http://${target}`)

  const draw = (what: string): number =>
    createHash('sha256').update(`${seed} ${what}`).digest().readUInt32BE() / 2 ** 32

  let uploads = 0
  /** One of every so many, and not always the same one. */
  const isCut = (luck: (question: string) => number): boolean => {
    if (byChance) return luck('cut') < 1 / cutOneIn
    const [round, place] = [Math.floor(uploads / cutOneIn), uploads % cutOneIn]
    uploads++
    return place === Math.floor(draw(`round ${round}`) * cutOneIn)
  }

  /** What befalls a request: a number a question, from its name and how often it came, not from when. */
  const luckOf = (request: IncomingMessage): ((question: string) => number) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
    // Sessions have names by chance; what is sent to them has not.
    const name = `${request.method ?? ''} ${pathname.replace(/uploads\/.+/, '')} ${searchParams.get('digest') ?? ''}`
    const nth = (seen.get(name) ?? 0) + 1
    seen.set(name, nth)
    return question => draw(`${name} ${nth} ${question}`)
  }

  const server = createServer((request, response) => {
    counts.requests++
    request.on('error', () => undefined)
    const luck = luckOf(request)
    if (luck('busy') < busy) {
      counts.busy++
      refuse(request, response, luck)
      return
    }
    const size = Number(request.headers['content-length'] ?? 0)
    const isBlob = size > 0 && (request.url ?? '').includes('/blobs/uploads/')
    const cutAt = isBlob && isCut(luck) ? Math.floor(luck('point') * size) : Infinity
    const losing = luck('lost') < lost
    pass(request, response, cutAt, losing)
  })

  const refuse = (request: IncomingMessage, response: ServerResponse, luck: (question: string) => number): void => {
    const answer = (): void => {
      response.writeHead(luck('status') < 0.5 ? 503 : 429, { 'content-length': 0, connection: 'close' }).end()
    }
    request.on('data', (chunk: Buffer) => {
      counts.bytes += chunk.byteLength
    })
    if (luck('early') < 0.5) answer()
    else request.once('end', answer)
  }

  const pass = (request: IncomingMessage, response: ServerResponse, cutAt: number, losing: boolean): void => {
    const { method, url: path, rawHeaders } = request
    const { socket } = request
    const onward = ask({ hostname, port, agent, method, path, headers: rawHeaders })
    let arrived = 0
    const end = (): void => {
      onward.destroy()
      socket.resetAndDestroy()
    }
    onward.on('error', () => {
      if (!response.headersSent) socket.destroy()
    })
    onward.once('response', answer => {
      if (losing) {
        counts.lost++
        answer.resume().once('end', end)
        return
      }
      response.writeHead(answer.statusCode ?? 0, answer.rawHeaders)
      answer.pipe(response)
    })
    request.on('data', (chunk: Buffer) => {
      counts.bytes += Math.min(chunk.byteLength, cutAt - arrived)
      arrived += chunk.byteLength
      if (arrived > cutAt) {
        counts.cuts++
        end()
      } else if (!onward.write(chunk)) request.pause()
    })
    onward.on('drain', () => request.resume())
    request.once('end', () => onward.end())
    response.once('close', () => {
      if (!response.writableFinished) onward.destroy()
    })
  }

  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port: own } = server.address() as AddressInfo
  return {
    host: `127.0.0.1:${own}`,
    get bytes() {
      return counts.bytes
    },
    get requests() {
      return counts.requests
    },
    get cuts() {
      return counts.cuts
    },
    get busy() {
      return counts.busy
    },
    get lost() {
      return counts.lost
    },
    [Symbol.asyncDispose]: async () => {
      agent.destroy()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
