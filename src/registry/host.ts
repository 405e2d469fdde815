import type { Abortable } from '../async/abortable.ts'
import { mayFollow, sameOrigin } from '../http/redirect.ts'
import type { HttpRequest, HttpResponse, Transport } from '../http/transport.ts'
import { Authorizer, type Shown, type Want } from './auth/authorizer.ts'
import { readRefusal } from './auth/expired.ts'
import { normaliseHost, type CredentialSource, type FoundCredential } from './credentials/credential.ts'
import { Endpoint } from './endpoint.ts'
import { KnownReferrers } from './referrers/known.ts'
import type { Digest } from '../oci/digest.ts'
import { profileOf, type NamedProfiles, type Profile } from './profile.ts'

export interface HostDeps {
  readonly transport: Transport
  readonly credentials: CredentialSource
  /** Hosts, with their port if they have one, that are reached without TLS. Loopback hosts need not be named. */
  readonly plainHttp?: readonly string[] | undefined
  /** What the user says of hosts, where their names do not. */
  readonly profiles?: NamedProfiles | undefined
  /** Told every password and token once, before it is used, so that logs can mask it. */
  readonly onSecret?: ((secret: string) => void) | undefined
}

/** A request to a registry: where to, and what it needs to be allowed. */
export interface HostRequest extends Pick<HttpRequest, 'body' | 'retry' | 'redirect' | 'wholeBodyBytes'>, Abortable {
  readonly method: string
  /** A path of the registry, or what an upload's Location says. */
  readonly to: string | URL
  readonly headers?: Readonly<Record<string, string>>
  readonly operation: string
  readonly want: Want
}

/** Not without credentials, then with a token, then with a token for what the registry says is missing. */
const MAX_SENT = 3

/** One registry, shared by all repositories of it that a run touches: its address, its tokens, what it has shown. */
export class RegistryHost {
  /** Normalised: `docker.io`, `127.0.0.1:5000`. */
  readonly name: string
  readonly profile: Profile
  /** Repositories that a mount was refused from, with the one it was refused to. */
  readonly refusedMounts: Set<string> = new Set<string>()
  /** Whether it is worth asking for several tags at a time: until the registry has shown that it does not do that. */
  tagsTogether: boolean
  readonly #referrers = new Map<string, KnownReferrers>()
  readonly #tagged = new Map<string, Set<Digest>>()
  readonly #endpoint: Endpoint
  readonly #authorizer: Authorizer
  readonly #transport: Transport

  constructor(name: string, { transport, credentials, plainHttp = [], ...deps }: HostDeps) {
    const { onSecret = (): void => undefined } = deps
    this.name = normaliseHost(name)
    this.profile = profileOf(this.name, deps.profiles)
    this.tagsTogether = this.profile.tagsTogether
    this.#transport = transport
    const plain = new Set(plainHttp.map(normaliseHost))
    this.#endpoint = new Endpoint(this.name, { transport, plainHttp: plain })
    const told = new Set<string>()
    this.#authorizer = new Authorizer({
      host: this.name,
      transport,
      credentials,
      plainHttp: plain,
      onSecret: secret => {
        if (secret !== '' && !told.has(secret)) onSecret(secret)
        told.add(secret)
      },
    })
  }

  /**
   * Sends a request, with what the registry asks for to allow it: a challenge is answered, what has expired renewed.
   * Every other status is the caller's to judge.
   *
   * @throws {AuthError} when no token is to be had
   * @throws {HttpError} when there was no answer
   */
  async send({ to, headers = {}, want, ...request }: HostRequest): Promise<HttpResponse> {
    const { signal } = request
    // An upload may be sent on to storage elsewhere; credentials are not (GHSA-jxpm-75mh-9fp7).
    if (to instanceof URL && !sameOrigin(to, this.#endpoint.base)) {
      return this.#transport.request({ ...request, headers, url: to })
    }
    for (let sent = 1; ; sent++) {
      const answered = await this.#authorizer.turn(want, { signal })
      let shown: Shown
      let response: HttpResponse
      try {
        shown = await this.#authorizer.show(want, { signal })
        const authorization = shown.header === undefined ? {} : { authorization: shown.header }
        response = await this.#endpoint.send({ ...request, to, headers: { ...headers, ...authorization } })
        if (isChallenge(response)) this.#authorizer.heed(response, this.#endpoint.base)
      } finally {
        answered()
      }
      if (sent >= MAX_SENT) return response
      if (response.status === 403 && shown.credential && !isChallenge(response)) {
        const read = await readRefusal(response)
        if (!(await this.#isOver(read.expired, want, shown, { signal }))) return read.response
        continue
      }
      if (!isChallenge(response)) return response
      if (!(await this.#authorizer.learn(want, shown, response, this.#endpoint.base, { signal }))) return response
      await response.discard()
    }
  }

  /** Whether a password was refused because its time is over, and there is another. */
  async #isOver(expired: boolean | undefined, want: Want, shown: Shown, options: Abortable): Promise<boolean> {
    if (expired === false) return false
    // Nothing was said, as to a HEAD: it may be so with a password that ends, and is a matter of rights with all others.
    const { lastsMs } = await this.credential(want.repository, options)
    if (expired === undefined && lastsMs === undefined) return false
    return this.#authorizer.renew(want, shown, options)
  }

  /** Which credentials are shown for a repository, and where they were looked for. */
  credential(repository: string, options: Abortable): Promise<FoundCredential> {
    return this.#authorizer.credential(repository, options)
  }

  /** Shared by all who push to a repository, so that its lists are written once. */
  referrersOf(repository: string): KnownReferrers {
    const known = this.#referrers.get(repository) ?? new KnownReferrers()
    this.#referrers.set(repository, known)
    return known
  }

  /**
   * Manifests that a tag of a repository was seen to lead to: they are in it, with all that they consist of. Shared by all who
   * read it or push to it, so that a new tag in the same repository costs no more than the tag.
   */
  taggedIn(repository: string): Set<Digest> {
    const known = this.#tagged.get(repository) ?? new Set<Digest>()
    this.#tagged.set(repository, known)
    return known
  }

  /** Where the registry is reached. */
  get base(): URL {
    return this.#endpoint.base
  }

  /** Whether an upload may be sent where the registry says; why not, in words. */
  judgeLocation(location: URL): string | undefined {
    return mayFollow(this.#endpoint.base, location)
  }
}

function isChallenge(response: HttpResponse): boolean {
  if (response.status === 401) return true
  if (response.status !== 403) return false
  return response.headerValues('www-authenticate').some(value => /insufficient_scope/i.test(value))
}

/** The registries of a run, one object each, however they are spelled. */
export class RegistryHosts {
  readonly #deps: HostDeps
  readonly #hosts = new Map<string, RegistryHost>()

  constructor(deps: HostDeps) {
    this.#deps = deps
  }

  get(host: string): RegistryHost {
    const name = normaliseHost(host)
    const known = this.#hosts.get(name) ?? new RegistryHost(name, this.#deps)
    this.#hosts.set(name, known)
    return known
  }
}
