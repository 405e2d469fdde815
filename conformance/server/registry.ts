import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { ServerOptions } from 'node:https'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Answer, Exchange } from './answer.ts'
import { Refused, json, readAll } from './answer.ts'
import type { AuthOptions } from './auth.ts'
import { Auth } from './auth.ts'
import { answerBlob } from './blob-routes.ts'
import type { Fault, Match } from './fault.ts'
import { FaultScript } from './fault.ts'
import type { ListChoices } from './list-routes.ts'
import { answerReferrers, answerTags } from './list-routes.ts'
import type { ManifestChoices } from './manifest-routes.ts'
import { answerManifest } from './manifest-routes.ts'
import { needs, parseRoute } from './route.ts'
import type { StoredManifest } from './store.ts'
import { Store } from './store.ts'
import type { UploadChoices } from './upload-routes.ts'
import { answerPost, answerUpload } from './upload-routes.ts'

export interface SpecRegistryOptions extends UploadChoices, ManifestChoices, ListChoices {
  readonly auth?: AuthOptions | undefined
  /** Makes a repository when something is pushed to it; `false` only knows those of `repositories`. Default true. */
  readonly createOnPush?: boolean | undefined
  /** Repositories that there are from the beginning, empty. */
  readonly repositories?: readonly string[] | undefined
  /** Form of every Location. Default `relative`, which the specification allows and many a client forgets. */
  readonly location?: 'relative' | 'absolute' | undefined
  /** Keeps blobs in files of this folder; in memory without it. */
  readonly directory?: string | undefined
  /** Speaks TLS with these. */
  readonly tls?: ServerOptions | undefined
  /** Default 0: a free port. */
  readonly port?: number | undefined
}

/** A request as the registry saw it. */
export interface SeenRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** Names in lower case, `authorization` left out. */
  readonly headers: Readonly<Record<string, string>>
  /** The scheme of `authorization`: `Basic`, `Bearer`. */
  readonly authorization: string | undefined
  /** Bytes of the request's body that have arrived. */
  bodyBytes: number
  /** 0 as long as there is no answer, and where none was sent. */
  status: number
}

/** A registry that follows the distribution-spec to the letter, remembers what it was asked, and fails when told to. */
export interface SpecRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string
  readonly url: URL
  readonly requests: readonly SeenRequest[]
  /** Plans a fault for requests to come. */
  fail(match: Match, fault: Fault): void
  /** Ends every token given so far, as time would. */
  expireTokens(): void
  /** @returns undefined when it is not in that repository */
  blob(repository: string, digest: string): Promise<Buffer | undefined>
  /** @param reference a tag or a digest */
  manifest(repository: string, reference: string): StoredManifest | undefined
  /** Tag to digest. */
  tags(repository: string): ReadonlyMap<string, string>
  /** Upload sessions that are neither finished nor cancelled. */
  readonly openUploads: number
}

/** Thrown where a client broke off, or was cut off: nobody waits for an answer. */
class Gone extends Error {}

/** Listens on a loopback port. */
export async function startSpecRegistry(options: SpecRegistryOptions = {}): Promise<SpecRegistry> {
  const { tls, location = 'relative', port = 0, createOnPush = true, repositories = [] } = options
  const store = new Store(options.directory)
  for (const name of repositories) store.repository(name)
  const script = new FaultScript()
  const requests: SeenRequest[] = []
  const auth = options.auth && new Auth(options.auth, () => url)

  const work = async (path: string, exchange: Exchange): Promise<Answer> => {
    if (path === '/token' && auth) return await auth.answerToken(exchange)
    const route = parseRoute(path, exchange.method)
    auth?.check(exchange.headers['authorization'], needs(route, exchange))
    if (route === undefined) return json(200, {})
    const { kind, name, rest } = route
    if (!createOnPush && !store.repositories.has(name)) {
      throw new Refused(404, { code: 'NAME_UNKNOWN', message: 'no such repository', detail: { name } })
    }
    const locate = (to: string): string => (location === 'relative' ? to : new URL(to, url).href)
    switch (kind) {
      case 'blobs':
        return answerBlob(store, name, rest, exchange)
      case 'start':
        return await answerPost(store, name, exchange, options, locate)
      case 'upload':
        return await answerUpload(store, name, rest, exchange, options, locate)
      case 'manifests':
        return await answerManifest(store, name, rest, exchange, options)
      case 'tags':
        return answerTags(store, name, exchange, options)
      case 'referrers':
        if (options.referrers === false) throw new Refused(404, { code: 'UNSUPPORTED', message: 'no referrers here' })
        return answerReferrers(store, name, rest, exchange, options)
    }
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url: target = '' } = request
    const { pathname: path, searchParams: query } = new URL(target, 'http://registry.invalid')
    const { authorization, ...headers } = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    )
    const scheme = authorization?.split(' ', 1)[0]
    const seen: SeenRequest = { method, path, query, headers, authorization: scheme, bodyBytes: 0, status: 0 }
    requests.push(seen)
    const fault = script.next(method, target)
    const { socket } = request
    if (fault && 'reset' in fault) reset(socket)
    if (fault && ('reset' in fault || 'hang' in fault)) return
    const body = arriving(request, seen, fault && 'cutRequestAfter' in fault ? fault.cutRequestAfter : Infinity)
    const exchange = { method, query, headers: { ...headers, ...(authorization && { authorization }) }, body }
    try {
      const answer =
        fault && 'status' in fault
          ? { status: fault.status, headers: fault.headers ?? {}, body: Buffer.from(fault.body ?? '') }
          : await work(path, exchange).catch((error: unknown) => {
              if (error instanceof Refused) return error.answer
              throw error
            })
      if (!(fault && 'early' in fault && fault.early)) await readAll(body)
      if (fault && 'lostAnswer' in fault) throw new Gone()
      seen.status = answer.status
      await send(response, method, answer, fault && 'cutResponseAfter' in fault ? fault.cutResponseAfter : Infinity)
    } catch (error) {
      if (error instanceof Gone) reset(socket)
      else response.writeHead(500).end(error instanceof Error ? error.stack : String(error))
    }
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    void serve(request, response)
  }
  const server: Server = tls ? createTlsServer(tls, listener) : createServer(listener)
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const url = new URL(`${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}/`)

  return {
    host: url.host,
    url,
    requests,
    fail: (match, fault) => {
      script.add(match, fault)
    },
    expireTokens: () => auth?.expireTokens(),
    blob: async (repository, digest) => {
      const bytes = store.repositories.get(repository)?.blobs.get(digest)
      return bytes && (await readAll(bytes.read()))
    },
    manifest: (repository, reference) => {
      const known = store.repositories.get(repository)
      return known?.manifests.get(known.tags.get(reference) ?? reference)
    },
    tags: repository => store.repositories.get(repository)?.tags ?? new Map<string, string>(),
    get openUploads() {
      return store.uploads.size
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      for (const upload of store.uploads.values()) await store.dropUpload(upload)
    },
  }
}

/** The request's body, counted, and cut off where a fault says so. */
async function* arriving(request: IncomingMessage, seen: SeenRequest, cutAfter: number): AsyncGenerator<Uint8Array> {
  const { socket } = request // gone from the request once its stream is left
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      const part = piece.subarray(0, cutAfter - seen.bodyBytes)
      seen.bodyBytes += part.byteLength
      yield part
      if (seen.bodyBytes < cutAfter) continue
      reset(socket)
      break
    }
  } catch (error) {
    throw new Gone('the client broke off', { cause: error })
  }
  if (seen.bodyBytes >= cutAfter) throw new Gone('cut on purpose')
}

function reset(socket: Socket): void {
  if ('encrypted' in socket) socket.destroy()
  else socket.resetAndDestroy()
}

async function send(response: ServerResponse, method: string, answer: Answer, cutAfter: number): Promise<void> {
  const { status, headers = {}, body = Buffer.alloc(0) } = answer
  const pieces = body instanceof Uint8Array ? [body] : body
  const length = answer.size ?? (body instanceof Uint8Array ? body.byteLength : 0)
  response.writeHead(status, {
    ...(status !== 204 && { 'content-length': length }),
    ...Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
    ),
  })
  let sent = 0
  if (method !== 'HEAD') {
    for await (const piece of pieces) {
      const part = piece.subarray(0, cutAfter - sent)
      sent += part.byteLength
      if (part.byteLength > 0 && !response.write(part)) await drained(response)
      if (sent >= cutAfter) break
    }
  }
  if (cutAfter !== Infinity) {
    response.flushHeaders()
    // What was written must have left before the connection goes.
    await new Promise<void>(resolve => setImmediate(resolve))
    throw new Gone('cut on purpose')
  }
  response.end()
}

async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>(resolve => {
    response.once('drain', resolve).once('close', resolve)
  })
}
