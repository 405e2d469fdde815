import { randomUUID } from 'node:crypto'
import type { Answer, Exchange, Refusal } from './answer.ts'
import { Refused, json, readAll, refuse } from './answer.ts'

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
  /** Answer to a token request by POST; by default it is understood. */
  readonly oauth?: Refusal | undefined
  /** Form of the realm. Default `absolute`. */
  readonly realm?: 'relative' | 'absolute' | undefined
  /** No token at all where one of the scopes that were asked for is not granted. Default: a token without it. */
  readonly allOrNothing?: boolean | undefined
  /** Scopes after the first are not looked at. Default false. */
  readonly onlyFirstScope?: boolean | undefined
  /** Body of a 401: that of the specification, or one error without a list. Default `spec`. */
  readonly unauthorized?: 'spec' | 'flat' | undefined
}

/** What somebody asked the token service for. */
export interface AskedToken {
  readonly method: string
  readonly scopes: readonly string[]
  readonly given: boolean
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
  readonly #given: string[] = []
  readonly #refreshToken = randomUUID()
  readonly #now: () => number
  /** In the order of arrival. */
  readonly asked: AskedToken[] = []

  constructor(options: AuthOptions, origin: () => URL, now: () => number = Date.now) {
    this.#options = options
    this.#origin = origin
    this.#now = now
  }

  /** Every secret that there is: what must not be seen anywhere but in headers to this registry. */
  get secrets(): readonly string[] {
    const { username, password } = this.#options
    const encoded = Buffer.from(`${username}:${password}`).toString('base64')
    return [password, encoded, this.#refreshToken, ...this.#given]
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
    const alive = token !== undefined && token.until > this.#now()
    if (alive && needs.every(({ repository, actions }) => actions.every(one => has(token, repository, one)))) return
    const { origin, host } = this.#origin()
    const scopes = needs.map(({ repository, actions }) => `repository:${repository}:${actions.join(',')}`)
    const parameters = {
      realm: this.#options.realm === 'relative' ? '/token' : `${origin}/token`,
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
    const { oauth, tokenSeconds = 300, anonymousPull = false, grants = () => EVERYTHING } = this.#options
    if (method === 'POST' && oauth) refuse(oauth)
    const form = method === 'POST' ? new URLSearchParams((await readAll(body)).toString('utf8')) : query
    const all = form.getAll('scope').flatMap(one => one.split(' '))
    const asked = this.#options.onlyFirstScope ? all.slice(0, 1) : all
    const known = method === 'POST' ? this.#isGranted(form) : this.#isUser(headers['authorization'])
    const nobody = anonymousPull && method === 'GET' && headers['authorization'] === undefined
    const scopes = scopesOf(asked, nobody ? () => ['pull'] : grants)
    const lacks = this.#options.allOrNothing && asked.some(scope => !isWhole(scope, scopes))
    const given = (known || nobody) && !lacks
    this.asked.push({ method, scopes: all, given })
    if (!given) throw this.#unauthorized('wrong user name or password, or no right to this')
    const token = randomUUID()
    this.#given.push(token)
    this.#tokens.set(token, { scopes, until: this.#now() + tokenSeconds * 1000 })
    return json(200, {
      token,
      access_token: token,
      expires_in: tokenSeconds,
      issued_at: new Date().toISOString(),
      ...(form.get('access_type') === 'offline' && { refresh_token: this.#refreshToken }),
    })
  }

  #challenge(value: string): Refused {
    return this.#unauthorized('authentication required', { 'www-authenticate': value })
  }

  #unauthorized(message: string, headers: Readonly<Record<string, string>> = {}): Refused {
    const error = { code: 'UNAUTHORIZED', message } as const
    return new Refused(401, error, headers, this.#options.unauthorized)
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

const SCOPE = /^repository:(.+):([^:]+)$/

function isWhole(scope: string, given: ReadonlyMap<string, readonly string[]>): boolean {
  const [, repository = '', actions = ''] = SCOPE.exec(scope) ?? []
  return actions.split(',').every(action => given.get(repository)?.includes(action))
}

/** A scope that is not granted is left out, as the token protocol has it: the registry then says 401. */
function scopesOf(
  asked: readonly string[],
  grants: (repository: string) => readonly Action[],
): ReadonlyMap<string, readonly string[]> {
  const scopes = new Map<string, readonly string[]>()
  for (const scope of asked) {
    const [, repository, actions] = SCOPE.exec(scope) ?? []
    if (repository === undefined || actions === undefined) continue
    const given = grants(repository).filter(action => actions.split(',').some(one => one === action || one === '*'))
    scopes.set(repository, [...(scopes.get(repository) ?? []), ...given])
  }
  return scopes
}

function has({ scopes }: Token, repository: string, action: Action): boolean {
  return scopes.get(repository)?.includes(action) ?? false
}
