import { Once } from '../../async/once.ts'
import type { Abortable } from '../../async/abortable.ts'
import { AuthError, type Side } from '../../errors.ts'
import { HttpError } from '../../http/error.ts'
import { redactUrl } from '../../http/redact.ts'
import { judgeRealm } from '../../http/redirect.ts'
import type { HttpResponse, Transport } from '../../http/transport.ts'
import type { Credential, CredentialSource, FoundCredential } from '../credentials/credential.ts'
import { refusalOf, unreachable, withCredentials } from '../error.ts'
import { demandOf, parseChallenges, type Demand } from './challenge.ts'
import { FirstAsker } from './first-asker.ts'
import { HeldCredentials } from './held-credentials.ts'
import { mergeScopes, scopeKey } from './scope.ts'
import { basic, isToken, requestToken, type Token } from './token.ts'

/** What a request needs to be allowed. */
export interface Want {
  readonly side: Side
  readonly repository: string
  /** The first is what the request itself needs: some registries look at no other. */
  readonly scopes: readonly string[]
  /** Asked for besides, and dropped when no token is given for them: the source of a mount. */
  readonly extra?: readonly string[] | undefined
  /** How long the request will take, so that the token does not end before. */
  readonly lastsMs?: number | undefined
}

/** What one request showed, and on what grounds. */
export interface Shown {
  /** Value of the `Authorization` header, if any. */
  readonly header: string | undefined
  /** What the registry was known to ask for. */
  readonly demand: KnownDemand | undefined
  /** The password itself, where it was shown to the registry. */
  readonly credential?: Credential | undefined
  readonly scopes: readonly string[]
  /** Whether the token was made for this request; refused, it will be refused again. */
  readonly fresh: boolean
  /** Which token it was. */
  readonly token?: symbol
}

type KnownDemand = Demand & { readonly base: URL }

export interface AuthorizerDeps {
  readonly host: string
  readonly transport: Transport
  readonly credentials: CredentialSource
  readonly onSecret: (secret: string) => void
  /** Host and port that the user lets be reached without TLS. */
  readonly plainHttp?: ReadonlySet<string> | undefined
  /** Milliseconds; by default a clock that nobody sets. */
  readonly now?: (() => number) | undefined
}

interface Kept extends Token {
  readonly expiresAt: number
  /** The request that it was made for, and the token's own name. */
  readonly by: symbol
}

/** No registry needs as many for one request; one that asks for more each time gets no more. */
const MAX_SCOPES = 32
/** A token this close to its end is not shown any more. */
const MARGIN_MS = 10_000

/** Decides what requests to one registry show, and learns from its challenges. Lives as long as the run. */
export class Authorizer {
  readonly #deps: AuthorizerDeps
  readonly #now: () => number
  #demand: KnownDemand | undefined
  readonly #held: HeldCredentials
  readonly #first = new FirstAsker()
  readonly #tokens = new Once<string, Kept>()
  /** Which token of #tokens is the newest. */
  readonly #newest = new Map<string, symbol>()
  /** Scopes wanted -> scopes that the registry asked for instead. */
  readonly #widened = new Map<string, readonly string[]>()
  readonly #dropped = new Set<string>()
  readonly #anonymous = new Set<string>()

  constructor(deps: AuthorizerDeps) {
    this.#deps = deps
    this.#now = deps.now ?? ((): number => performance.now())
    this.#held = new HeldCredentials({ host: deps.host, credentials: deps.credentials, now: this.#now })
  }

  /** The credential for a repository, and where it was looked for. */
  credential(repository: string, { signal }: Abortable = {}): Promise<FoundCredential> {
    return this.#held.get(repository, { signal })
  }

  /**
   * Waits while nothing is known of the registry and another request for the same is asking it.
   *
   * @returns to be called when the registry has answered, or will not
   */
  async turn(want: Want, options: Abortable = {}): Promise<() => void> {
    if (this.#demand) return () => undefined
    return this.#first.enter([want.side, want.repository, scopeKey(want.scopes)].join('\n'), options)
  }

  /** @throws {AuthError} when no token is to be had */
  async show(want: Want, options: Abortable = {}): Promise<Shown> {
    const demand = this.#demand
    const scopes = this.#scopesFor(want)
    // Nothing is shown before it is asked for: a registry that lets anybody read never sees a password.
    if (!demand) return { header: undefined, demand, scopes, fresh: false }
    const { credential } = await this.credential(want.repository, options)
    if (demand.scheme === 'basic') {
      const header = credential && basic(credential, this.#deps.onSecret)
      return { header, demand, credential: header === undefined ? undefined : credential, scopes, fresh: true }
    }
    if (credential?.kind === 'bearer') {
      this.#deps.onSecret(credential.token)
      return { header: `Bearer ${credential.token}`, demand, scopes, fresh: true }
    }
    const extra = (want.extra ?? []).filter(scope => !this.#dropped.has(scope))
    if (extra.length > 0) {
      try {
        return await this.#bearer(demand, want, [...scopes, ...extra], options)
      } catch (error) {
        options.signal?.throwIfAborted()
        if (!(error instanceof AuthError)) throw error
        // A credential that may not read the source must not be kept from writing to the target.
        for (const scope of extra) this.#dropped.add(scope)
      }
    }
    return this.#bearer(demand, want, scopes, options)
  }

  /** Remembers what a registry asks for, which all requests show from then on. */
  heed(response: HttpResponse, base: URL): Demand | undefined {
    const demand = demandOf(parseChallenges(response.headerValues('www-authenticate')))
    if (demand) this.#demand = { ...demand, base }
    return demand
  }

  /**
   * Learns from a refused request.
   *
   * @returns whether it is worth sending again
   */
  async learn(want: Want, shown: Shown, response: HttpResponse, base: URL, options: Abortable = {}): Promise<boolean> {
    const demand = this.heed(response, base)
    if (!demand) return this.renew(want, shown, options)
    if (demand.scheme === 'basic') {
      if (shown.demand?.scheme === 'basic') return this.renew(want, shown, options)
      const { credential } = await this.credential(want.repository, options)
      return credential !== undefined && credential.kind !== 'bearer'
    }
    const widened = mergeScopes(shown.scopes, demand.scope)
    const changed = widened.length <= MAX_SCOPES && scopeKey(widened) !== scopeKey(shown.scopes)
    if (changed) this.#widened.set(scopeKey(want.scopes), widened)
    if (shown.demand?.scheme !== 'bearer') return true
    this.#forget(tokenKey(shown.demand, want, shown.scopes), shown.token)
    return changed || !shown.fresh
  }

  /**
   * Looks for another password than the one that a request showed and that was refused, because such passwords end.
   *
   * @returns whether there is another one now, so that it is worth sending the request again
   */
  async renew({ repository }: Want, { credential }: Shown, options: Abortable = {}): Promise<boolean> {
    return credential !== undefined && this.#held.renew(repository, credential, options)
  }

  #scopesFor({ scopes }: Want): readonly string[] {
    return this.#widened.get(scopeKey(scopes)) ?? scopes
  }

  async #bearer(
    demand: KnownDemand & { readonly scheme: 'bearer' },
    want: Want,
    scopes: readonly string[],
    options: Abortable,
  ): Promise<Shown> {
    const key = tokenKey(demand, want, scopes)
    const me = Symbol(key)
    const make = async (): Promise<Kept> => {
      this.#newest.set(key, me)
      return { ...(await this.#token(demand, want, scopes, options)), by: me }
    }
    let token = await this.#tokens.run(key, make)
    // Half of its life is all that can be had of a token; more is not asked for.
    const needMs = Math.max(MARGIN_MS, Math.min(want.lastsMs ?? 0, token.lifetimeMs / 2))
    if (token.by !== me && token.expiresAt - this.#now() < needMs) {
      this.#forget(key, token.by)
      token = await this.#tokens.run(key, make)
    }
    const header = token.value === '' ? undefined : `Bearer ${token.value}`
    return { header, demand, scopes, fresh: token.by === me, token: token.by }
  }

  /** Whoever else was refused with the same token may have asked for another one already: that one is kept. */
  #forget(key: string, token: symbol | undefined): void {
    if (token !== undefined && this.#newest.get(key) === token) this.#tokens.forget(key)
  }

  async #token(
    demand: KnownDemand & { readonly scheme: 'bearer' },
    want: Want,
    scopes: readonly string[],
    options: Abortable,
  ): Promise<Omit<Kept, 'by'>> {
    const { host, transport, onSecret } = this.#deps
    const realm = this.#realm(demand)
    let found = await this.credential(want.repository, options)
    const ask = async (credential: Credential | undefined): Promise<Omit<Kept, 'by'> | HttpResponse> => {
      const query = { realm, service: demand.service, scopes }
      const answer = await requestToken(query, credential, { transport, onSecret, ...options })
      if (!isToken(answer)) return answer
      return { ...answer, expiresAt: this.#now() + answer.lifetimeMs }
    }
    const asked = { side: want.side, host, repository: want.repository, operation: 'get a token', method: 'GET' }
    try {
      // Only ever for a read: a push without credentials is refused, not tried in nobody's name.
      const asNobody = want.side === 'source' && this.#anonymous.has(want.repository)
      let shown = asNobody ? undefined : found.credential
      let answer = await ask(shown)
      if ('status' in answer && answer.status === 401 && shown) {
        if (await this.#held.renew(want.repository, shown, options)) {
          await answer.discard()
          found = await this.credential(want.repository, options)
          shown = found.credential
          answer = await ask(shown)
        }
      }
      if ('status' in answer && shown && found.implied && want.side === 'source') {
        // Nobody chose these credentials for this host: they must not keep anybody from what is public.
        await answer.discard()
        this.#anonymous.add(want.repository)
        shown = undefined
        answer = await ask(shown)
      }
      if (!('status' in answer)) return answer
      const refusal = await refusalOf(answer, asked)
      if (answer.status >= 500 || answer.status === 429) throw refusal
      const known = withCredentials(refusal, { ...found, credential: shown })
      throw known === refusal ? new AuthError(host, refusal.message, { cause: refusal, hint: refusal.hint }) : known
    } catch (error) {
      throw error instanceof HttpError ? unreachable(error, asked) : error
    }
  }

  #realm(demand: KnownDemand & { readonly scheme: 'bearer' }): URL {
    const { host, plainHttp } = this.#deps
    // Seen in the wild: a realm relative to the registry.
    const realm = URL.canParse(demand.realm, demand.base.href) ? new URL(demand.realm, demand.base) : undefined
    const because = realm ? judgeRealm(demand.base, realm, plainHttp) : 'it is not a URL'
    if (realm && because === undefined) return realm
    const shown = realm ? redactUrl(realm) : demand.realm.slice(0, 100)
    throw new AuthError(host, `${host} wants credentials sent to ${shown}, which is refused: ${because ?? ''}`, {
      hint: `nothing was sent there: is this the registry that is meant? If it is your own, correct the realm of its token service${realm?.protocol === 'http:' ? `, or name ${realm.host} in plain-http` : ''}`,
    })
  }
}

/** By side too: a token that was given to nobody, for a read, is not one to push with. */
function tokenKey(demand: KnownDemand, { side, repository }: Want, scopes: readonly string[]): string {
  const [realm = '', service = ''] = demand.scheme === 'bearer' ? [demand.realm, demand.service] : []
  return [realm, service, side, repository, scopeKey(scopes)].join('\n')
}
