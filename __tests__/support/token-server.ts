import { createPrivateKey, createSign, randomUUID, X509Certificate, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { run, temporaryDirectory } from './peers.ts'

export interface TokenRequest {
  readonly method: string
  /** Undefined for nobody. */
  readonly user: string | undefined
  readonly scopes: readonly string[]
  readonly status: number
}

export interface TokenServerOptions {
  /** Passwords by user; the identity token of a user is `identity-` and the name. */
  readonly users?: Readonly<Record<string, string>>
  /** What a user, or nobody, may do with a repository; by default users may do everything. */
  readonly grants?: (user: string | undefined, repository: string) => readonly string[]
}

/** A token service as distribution's `auth: token` wants it: JWTs signed with RS256. Gone at the end of the block. */
export interface TokenServer extends AsyncDisposable {
  readonly realm: string
  readonly service: string
  readonly issuer: string
  /** In PEM, which the registry has to trust. */
  readonly certificate: string
  /** In the order in which it was asked. */
  readonly requests: readonly TokenRequest[]
  /** How long the next tokens are good for, in whole seconds; registries are lenient by a minute, which is allowed for. */
  lifetimeSeconds: number
  /** Resolves when every token of before has ended. */
  readonly expired: () => Promise<void>
}

/** By which distribution lets a token live longer than it says. */
const LEEWAY_SECONDS = 60

export async function startTokenServer(options: TokenServerOptions = {}): Promise<TokenServer> {
  const { users = {}, grants = (user): readonly string[] => (user === undefined ? [] : ['*']) } = options
  const { key, certificate } = await makeIdentity()
  const x5c = [new X509Certificate(certificate).raw.toString('base64')]
  const requests: TokenRequest[] = []
  const about = { service: 'a registry of the tests', issuer: 'token server of the tests', certificate, requests }
  let lastEnd = 0

  function issue(user: string | undefined, scopes: readonly string[]): string {
    const now = Math.floor(Date.now() / 1000)
    const end = now + 1 + state.lifetimeSeconds
    lastEnd = Math.max(lastEnd, end)
    const claims = {
      iss: about.issuer,
      sub: user ?? '',
      aud: about.service,
      exp: end - LEEWAY_SECONDS,
      nbf: now - 2 * LEEWAY_SECONDS,
      iat: now - 2 * LEEWAY_SECONDS,
      jti: randomUUID(),
      access: scopes.map(parseScope).map(({ type, name, actions }) => {
        const allowed = grants(user, name)
        return { type, name, actions: allowed.includes('*') ? actions : actions.filter(one => allowed.includes(one)) }
      }),
    }
    return sign({ typ: 'JWT', alg: 'RS256', x5c }, claims, key)
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = request.method === 'POST' ? new URLSearchParams(await textOf(request)) : undefined
    const query = form ?? new URL(request.url ?? '', 'http://localhost').searchParams
    const scopes = query
      .getAll('scope')
      .flatMap(scope => scope.split(' '))
      .filter(Boolean)
    const { user, known } = form ? byIdentity(form, users) : byPassword(request, users)
    const status = known ? 200 : 401
    requests.push({ method: request.method ?? '', user, scopes, status })
    response.writeHead(status, { 'content-type': 'application/json' })
    const refusal = { errors: [{ code: 'UNAUTHORIZED', message: 'incorrect username or password' }] }
    if (!known) return void response.end(JSON.stringify(refusal))
    // Not what the token says, but what services say that mean the client not to count on it.
    const token = issue(user, scopes)
    response.end(JSON.stringify(form ? { access_token: token, expires_in: 300 } : { token, expires_in: 300 }))
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const state: TokenServer = {
    ...about,
    realm: `http://127.0.0.1:${port}/token`,
    lifetimeSeconds: 300,
    expired: () => new Promise(resolve => setTimeout(resolve, Math.max(0, (lastEnd + 1) * 1000 - Date.now()))),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return state
}

/** A key and its self-signed certificate; openssl makes them. */
async function makeIdentity(): Promise<{ readonly key: KeyObject; readonly certificate: string }> {
  await using work = await temporaryDirectory()
  const [key, cert] = [join(work.path, 'key.pem'), join(work.path, 'cert.pem')]
  const names = ['-subj', '/CN=token server', '-days', '3650']
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...names, '-keyout', key, '-out', cert])
  return { key: createPrivateKey(await readFile(key)), certificate: await readFile(cert, 'utf8') }
}

/** RFC 7515. */
function sign(header: object, claims: object, key: KeyObject): string {
  const signed = [header, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key).toString('base64url')}`
}

/** `repository:team/app:pull,push`. */
function parseScope(scope: string): { type: string; name: string; actions: string[] } {
  const [type = '', ...rest] = scope.split(':')
  const actions = rest.pop() ?? ''
  return { type, name: rest.join(':'), actions: actions.split(',') }
}

interface Caller {
  readonly user: string | undefined
  readonly known: boolean
}

function byPassword({ headers }: IncomingMessage, users: Readonly<Record<string, string>>): Caller {
  const encoded = /^Basic (.+)$/i.exec(headers.authorization ?? '')?.[1]
  if (encoded === undefined) return { user: undefined, known: headers.authorization === undefined }
  const [user = '', password = ''] = Buffer.from(encoded, 'base64').toString().split(/:(.*)/s)
  return { user, known: users[user] === password }
}

function byIdentity(form: URLSearchParams, users: Readonly<Record<string, string>>): Caller {
  const user = (form.get('refresh_token') ?? '').replace(/^identity-/, '')
  return { user, known: form.get('grant_type') === 'refresh_token' && Object.hasOwn(users, user) }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
