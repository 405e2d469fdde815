import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { ServerOptions } from 'node:https'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Answer, Exchange } from './answer.ts'
import { Refused, json, readAll } from './answer.ts'
import type { AskedToken, AuthOptions } from './auth.ts'
import { Auth } from './auth.ts'
import { answerBlob, type BlobChoices } from './blob-routes.ts'
import { Gone, arriving, reset, send } from './connection.ts'
import { startElsewhere, type Elsewhere } from './elsewhere.ts'
import type { Fault, Match } from './fault.ts'
import { FaultScript } from './fault.ts'
import type { ListChoices } from './list-routes.ts'
import { answerReferrers, answerTags } from './list-routes.ts'
import type { ManifestChoices } from './manifest-routes.ts'
import { answerManifest, missingBelow } from './manifest-routes.ts'
import { needs, parseRoute } from './route.ts'
import type { SeenRequest } from './seen.ts'
import { bendLists, bent, codesOf, insteadOf, moveTagAway } from './strike.ts'
import type { Content, Landed, StoredManifest } from './store.ts'
import { Store, fieldOf, parseJson, type Repository } from './store.ts'
import type { UploadChoices } from './upload-routes.ts'
import { answerPost, answerUpload } from './upload-routes.ts'

export interface SpecRegistryOptions extends UploadChoices, BlobChoices, ManifestChoices, ListChoices {
  readonly auth?: AuthOptions | undefined
  /**
   * Makes a repository when something is pushed to it; `false` only knows those of `repositories`, `below` those too that
   * are below one of them. Default true.
   */
  readonly createOnPush?: boolean | 'below' | undefined
  /** Repositories that there are from the beginning, empty. */
  readonly repositories?: readonly string[] | undefined
  /** Form of every Location. Default `relative`, which the specification allows and many a client forgets. */
  readonly location?: 'relative' | 'absolute' | undefined
  /** Sends clients to another origin for the bytes of blobs, which refuses credentials. Default false. */
  readonly blobsElsewhere?: boolean | undefined
  /** Keeps blobs in files of this folder; in memory without it. */
  readonly directory?: string | undefined
  /** Speaks TLS with these. */
  readonly tls?: ServerOptions | undefined
  /** Default 0: a free port. */
  readonly port?: number | undefined
  /** Milliseconds, for tokens and for the times of requests. */
  readonly now?: (() => number) | undefined
  /** For faults that come by chance. */
  readonly random?: (() => number) | undefined
  /** Told every request when it is over. */
  readonly onRequest?: ((seen: SeenRequest) => void) | undefined
}

/** A registry that follows the distribution-spec to the letter, remembers what it was asked, and fails when told to. */
export interface SpecRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string
  readonly url: URL
  readonly requests: readonly SeenRequest[]
  /** What was asked of the token service. */
  readonly askedTokens: readonly AskedToken[]
  /** Passwords and tokens that clients have. */
  readonly secrets: readonly string[]
  /** What becomes of chunks here. */
  readonly chunks: NonNullable<UploadChoices['chunks']>
  /** The other origin that faults and `blobsElsewhere` lead to. */
  readonly elsewhere: Elsewhere
  /** What was pushed. */
  readonly landed: readonly Landed[]
  /** Plans a fault for requests to come. */
  fail(match: Match, fault: Fault): void
  /** Forgets the faults that are still to come. */
  recover(): void
  /** Ends every token given so far, as time would. */
  expireTokens(): void
  /** Puts content there behind the back of all clients. */
  seed(repository: string, content: Content): void
  /** @returns undefined when it is not in that repository */
  blob(repository: string, digest: string): Promise<Buffer | undefined>
  /** @param reference a tag or a digest */
  manifest(repository: string, reference: string): StoredManifest | undefined
  /** Tag to digest. */
  tags(repository: string): ReadonlyMap<string, string>
  /** Digests in the list of what refers to a manifest: the registry's, or where it keeps none the one under the tag. */
  referrers(repository: string, subject: string): readonly string[]
  /** Loses a manifest from all lists of referrers, behind the back of all clients. */
  unlist(repository: string, digest: string): void
  /** What is not there of a manifest and all below it. */
  missing(repository: string, digest: string): readonly string[]
  /** Upload sessions that are neither finished nor cancelled. */
  readonly openUploads: number
  /** Those of them that a client knows of. */
  readonly leftUploads: number
}

/** Listens on a loopback port. @throws {Error} when the port is taken */
export async function startSpecRegistry(options: SpecRegistryOptions = {}): Promise<SpecRegistry> {
  const { tls, location = 'relative', port = 0, createOnPush = true, repositories = [] } = options
  const { now = Date.now, random = Math.random, onRequest = (): void => undefined } = options
  const store = new Store(options.directory)
  for (const name of repositories) store.repository(name)
  const script = new FaultScript(random)
  const requests: SeenRequest[] = []
  const auth = options.auth && new Auth(options.auth, () => url, now)

  const checkThere = (name: string): void => {
    if (createOnPush === true || store.repositories.has(name)) return
    if (createOnPush === 'below' && repositories.some(one => name.startsWith(`${one}/`))) return
    throw new Refused(404, { code: 'NAME_UNKNOWN', message: 'no such repository', detail: { name } })
  }
  const route = async (path: string, exchange: Exchange, guarded: boolean): Promise<Answer> => {
    if (path === '/token' && auth) return await auth.answerToken(exchange)
    const parsed = parseRoute(path, exchange.method)
    if (guarded) auth?.check(exchange.headers['authorization'], needs(parsed, exchange))
    if (parsed === undefined) return json(200, {})
    const { kind, name, rest } = parsed
    checkThere(name)
    const base = guarded ? url : elsewhere.url
    const locate = (to: string): string => (location === 'relative' ? to : new URL(to, base).href)
    const storage = (digest: string): string => elsewhere.storage(name, digest)
    switch (kind) {
      case 'blobs':
        return answerBlob(store, name, rest, exchange, options, options.blobsElsewhere ? storage : undefined)
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
  const elsewhere = await startElsewhere(store, (path, exchange) => route(path, exchange, false))

  const strike = async (fault: Fault | undefined, path: string): Promise<void> => {
    if (!fault) return
    if ('expireTokens' in fault) auth?.expireTokens()
    if ('forgetUploads' in fault) for (const upload of [...store.uploads.values()]) await store.dropUpload(upload)
    if ('moveTag' in fault) moveTagAway(store, path, fault.moveTag)
    if ('slowMs' in fault) await pause(fault.slowMs)
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url: target = '', socket } = request
    const { pathname: path, searchParams: query } = new URL(target, 'http://registry.invalid')
    const all = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const { authorization, ...headers } = all
    const fault = script.next(method, target)
    const seen: SeenRequest = {
      ...{ method, path, target, query, headers, authorization: authorization?.split(' ', 1)[0], at: now(), fault },
      ...{ bodyBytes: 0, whole: false, status: 0, codes: [], retryAfterMs: 0 },
    }
    requests.push(seen)
    if (fault && 'reset' in fault) reset(socket)
    if (fault && ('reset' in fault || 'hang' in fault)) {
      onRequest(seen)
      return
    }
    const body = arriving(request, seen, fault && 'cutRequestAfter' in fault ? fault.cutRequestAfter : Infinity)
    const exchange = { method, target, query, headers: all, body }
    try {
      await strike(fault, path)
      const honest =
        insteadOf(fault, target, elsewhere.url) ??
        (await route(path, exchange, true).catch((error: unknown) => {
          if (error instanceof Refused) return error.answer
          throw error
        }))
      // What is too large is not read first, nor what a fault answers early.
      const unread = honest.status === 413 || (fault && 'early' in fault && fault.early)
      if (!unread) await readAll(body)
      if (fault && 'lagReads' in fault && honest.made !== undefined) {
        store.hide(honest.made, fault.lagReads)
        store.hide(path.slice(path.lastIndexOf('/') + 1), fault.lagReads)
      }
      if (fault && 'unlisted' in fault && honest.made !== undefined) bendLists(store, path, honest.made, undefined)
      if (fault && 'lagLists' in fault && honest.made !== undefined) bendLists(store, path, honest.made, fault.lagLists)
      if (fault && 'lostAnswer' in fault) throw new Gone()
      const answer = await bent(honest, fault, { url, elsewhere: elsewhere.url })
      seen.status = answer.status
      seen.codes = codesOf(answer)
      seen.retryAfterMs = Number(answer.headers?.['retry-after'] ?? 0) * 1000 || 0
      await send(response, method, answer, fault && 'cutResponseAfter' in fault ? fault.cutResponseAfter : Infinity)
      const upload = answer.upload === undefined ? undefined : store.uploads.get(answer.upload)
      if (upload && !(fault && 'location' in fault)) upload.told = true
    } catch (error) {
      if (error instanceof Gone) reset(socket)
      else response.writeHead(500).end(error instanceof Error ? error.stack : String(error))
    } finally {
      onRequest(seen)
    }
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    void serve(request, response)
  }
  const server: Server = tls ? createTlsServer(tls, listener) : createServer(listener)
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  } catch (error) {
    await elsewhere[Symbol.asyncDispose]()
    throw error
  }
  const url = new URL(`${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}/`)

  return {
    host: url.host,
    url,
    requests,
    elsewhere,
    askedTokens: auth?.asked ?? [],
    get secrets() {
      return auth?.secrets ?? []
    },
    landed: store.landed,
    chunks: options.chunks ?? 'checked',
    fail: (match, fault) => {
      script.add(match, fault)
    },
    recover: () => {
      script.clear()
    },
    expireTokens: () => auth?.expireTokens(),
    seed: (repository, content) => {
      store.seed(repository, content)
    },
    blob: async (repository, digest) => {
      const bytes = store.repositories.get(repository)?.blobs.get(digest)
      return bytes && (await readAll(bytes.read()))
    },
    manifest: (repository, reference) => {
      const known = store.repositories.get(repository)
      return known?.manifests.get(known.tags.get(reference) ?? reference)
    },
    tags: repository => store.repositories.get(repository)?.tags ?? new Map<string, string>(),
    referrers: (repository, subject) => {
      const known = store.repositories.get(repository)
      return options.referrers === false ? listUnderTag(known, subject) : (known?.referrers.get(subject) ?? [])
    },
    unlist: (repository, digest) => {
      bendLists(store, `/v2/${repository}/manifests/`, digest, undefined)
    },
    missing: (repository, digest) => {
      const known = store.repositories.get(repository)
      return known ? missingBelow(known, digest) : [digest]
    },
    get openUploads() {
      return store.uploads.size
    },
    get leftUploads() {
      return [...store.uploads.values()].filter(({ told }) => told).length
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      await elsewhere[Symbol.asyncDispose]()
      for (const upload of store.uploads.values()) await store.dropUpload(upload)
    },
  }
}

/** distribution-spec, "Referrers Tag Schema". */
function listUnderTag(repository: Repository | undefined, subject: string): readonly string[] {
  const list = repository?.manifests.get(repository.tags.get(subject.replace(':', '-')) ?? '')
  const manifests = list && parseJson(list.bytes)?.['manifests']
  return Array.isArray(manifests) ? manifests.flatMap(one => fieldOf(one, 'digest') ?? []) : []
}
