import { randomUUID } from 'node:crypto'
import type { Answer, Exchange } from './answer.ts'
import { Refused, json, readAll } from './answer.ts'

type Action = 'pull' | 'push' | 'delete'

/** What a request wants to do, and with which repository. */
export interface Need {
  readonly repository: string
  readonly actions: readonly Action[]
}

/** Who may enter. One user, who may do everything unless `grants` says otherwise. */
export interface AuthOptions {
  /** `basic` asks for the password itself, `bearer` for a token of `/token`. */
  readonly scheme: 'basic' | 'bearer'
  readonly username: string
  readonly password: string
  /** Actions that a token gives on a repository, of those that were asked for. */
  readonly grants?: ((repository: string) => readonly Action[]) | undefined
  /** Lets anybody pull: without credentials where `basic` asks, with a token for nobody where `bearer` does. */
  readonly anonymousPull?: boolean | undefined
  /** Announced as expires_in, and kept. Default 300. */
  readonly tokenSeconds?: number | undefined
}

interface Token {
  readonly scopes: ReadonlyMap<string, readonly string[]>
  readonly until: number
}

const EVERYTHING: readonly Action[] = ['pull', 'push', 'delete']

/** Guards the routes, and gives out tokens. */
export class Auth {
  readonly #options: AuthOptions
  readonly #origin: () => URL
  readonly #tokens = new Map<string, Token>()
  readonly #refreshToken = randomUUID()

  constructor(options: AuthOptions, origin: () => URL) {
    this.#options = options
    this.#origin = origin
  }

  /** Ends every token given so far. */
  expireTokens(): void {
    this.#tokens.clear()
  }

  /** @throws {Refused} 401 with a challenge */
  check(authorization: string | undefined, needs: readonly Need[]): void {
    const { scheme: asked, anonymousPull = false } = this.#options
    if (asked === 'basic') {
      const reads = needs.length > 0 && needs.every(({ actions }) => actions.every(action => action === 'pull'))
      if (anonymousPull && reads && authorization === undefined) return
      if (!this.#isUser(authorization)) throw this.#challenge('Basic realm="spec-registry"')
      return
    }
    const [scheme = '', value = ''] = (authorization ?? '').split(' ')
    const token = scheme.toLowerCase() === 'bearer' ? this.#tokens.get(value) : undefined
    const alive = token !== undefined && token.until > Date.now()
    if (alive && needs.every(({ repository, actions }) => actions.every(one => has(token, repository, one)))) return
    const { origin, host } = this.#origin()
    const scopes = needs.map(({ repository, actions }) => `repository:${repository}:${actions.join(',')}`)
    const parameters = {
      realm: `${origin}/token`,
      service: host,
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
      ...(authorization !== undefined && { error: alive ? 'insufficient_scope' : 'invalid_token' }),
    }
    const list = Object.entries(parameters).map(([name, text]) => `${name}="${text}"`)
    throw this.#challenge(`Bearer ${list.join(',')}`)
  }

  /** `GET /token` with Basic, and `POST /token` with a password or a refresh token (OAuth2). */
  async answerToken({ method, headers, query, body }: Exchange): Promise<Answer> {
    if (this.#options.scheme !== 'bearer') throw new Refused(404, { code: 'UNSUPPORTED', message: 'no tokens here' })
    const form = method === 'POST' ? new URLSearchParams((await readAll(body)).toString('utf8')) : query
    const known = method === 'POST' ? this.#isGranted(form) : this.#isUser(headers['authorization'])
    const { tokenSeconds = 300, anonymousPull = false, grants = () => EVERYTHING } = this.#options
    const nobody = anonymousPull && method === 'GET' && headers['authorization'] === undefined
    if (!known && !nobody) throw new Refused(401, { code: 'UNAUTHORIZED', message: 'wrong user name or password' })
    const scopes = scopesOf(form.getAll('scope'), nobody ? () => ['pull'] : grants)
    const token = randomUUID()
    this.#tokens.set(token, { scopes, until: Date.now() + tokenSeconds * 1000 })
    return json(200, {
      token,
      access_token: token,
      expires_in: tokenSeconds,
      issued_at: new Date().toISOString(),
      ...(form.get('access_type') === 'offline' && { refresh_token: this.#refreshToken }),
    })
  }

  #challenge(value: string): Refused {
    return new Refused(401, { code: 'UNAUTHORIZED', message: 'authentication required' }, { 'www-authenticate': value })
  }

  #isUser(authorization: string | undefined): boolean {
    const { username, password } = this.#options
    const [scheme = '', value = ''] = (authorization ?? '').split(' ')
    const given = Buffer.from(value, 'base64').toString('utf8')
    return scheme.toLowerCase() === 'basic' && given === `${username}:${password}`
  }

  #isGranted(form: URLSearchParams): boolean {
    const { username, password } = this.#options
    if (form.get('grant_type') === 'refresh_token') return form.get('refresh_token') === this.#refreshToken
    return form.get('username') === username && form.get('password') === password
  }
}

/** A scope that is not granted is left out, as the token protocol has it: the registry then says 401. */
function scopesOf(
  asked: readonly string[],
  grants: (repository: string) => readonly Action[],
): ReadonlyMap<string, readonly string[]> {
  const scopes = new Map<string, readonly string[]>()
  for (const scope of asked.flatMap(one => one.split(' '))) {
    const [, repository, actions] = /^repository:(.+):([^:]+)$/.exec(scope) ?? []
    if (repository === undefined || actions === undefined) continue
    const given = grants(repository).filter(action => actions.split(',').some(one => one === action || one === '*'))
    scopes.set(repository, [...(scopes.get(repository) ?? []), ...given])
  }
  return scopes
}

function has({ scopes }: Token, repository: string, action: Action): boolean {
  return scopes.get(repository)?.includes(action) ?? false
}
