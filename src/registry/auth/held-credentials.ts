import type { Abortable } from '../../async/abortable.ts'
import { Once } from '../../async/once.ts'
import type { Credential, CredentialSource, FoundCredential } from '../credentials/credential.ts'

export interface HeldCredentialDeps {
  readonly host: string
  readonly credentials: CredentialSource
  /** Milliseconds, of any clock that nobody sets. */
  readonly now: () => number
}

interface Held {
  readonly found: FoundCredential
  /** By our clock; infinite where the source knows of no end. */
  readonly endsAt: number
  /** From when on another is looked for. */
  readonly oldAt: number
}

/** This long before its end a credential is found anew: a large layer has to arrive with it. */
const MARGIN_MS = 15 * 60_000
/** What is refused this soon after it was found anew is wrong, not old. */
const SETTLED_MS = 60_000

/** The credentials of one registry, kept until they end or are refused. Lives as long as the run. */
export class HeldCredentials {
  readonly #deps: HeldCredentialDeps
  readonly #held = new Once<string, Held>()
  /** What was held before the last refusal is not asked for any more. */
  #generation = 0
  readonly #refused = new Set<string>()
  #renewed: { readonly secret: string; readonly at: number } | undefined

  constructor(deps: HeldCredentialDeps) {
    this.#deps = deps
  }

  /** The credential for a repository, and where it was looked for. */
  async get(repository: string, options: Abortable = {}): Promise<FoundCredential> {
    const { now } = this.#deps
    const key = `${this.#generation} ${repository}`
    const held = await this.#held.run(key, () => this.#find(repository, options))
    if (now() < held.oldAt) return held.found
    this.#held.forget(key)
    try {
      return (await this.#held.run(key, () => this.#find(repository, options))).found
    } catch (error) {
      options.signal?.throwIfAborted()
      if (now() >= held.endsAt) throw error
      // It is good for a while yet; the next try is made when half of that has gone.
      const { found, endsAt } = held
      await this.#held.run(key, () => Promise.resolve({ found, endsAt, oldAt: (now() + endsAt) / 2 }))
      return found
    }
  }

  /**
   * Finds another credential in the place of one that was refused, once for all requests that it was refused to.
   *
   * @returns whether there is another one now
   */
  async renew(repository: string, refused: Credential, options: Abortable = {}): Promise<boolean> {
    const { host, credentials, now } = this.#deps
    const secret = secretOf(refused)
    const isHeld = (await this.#secret(repository, options)) === secret
    const isNew = this.#renewed?.secret === secret && now() - this.#renewed.at < SETTLED_MS
    if (isHeld && !isNew && !this.#refused.has(secret)) {
      this.#refused.add(secret)
      this.#generation++
      credentials.forget?.(host)
    }
    const found = await this.#secret(repository, options)
    if (found === undefined || found === secret) return false
    if (this.#renewed?.secret !== found) this.#renewed = { secret: found, at: now() }
    return true
  }

  async #secret(repository: string, options: Abortable): Promise<string | undefined> {
    const { credential } = await this.get(repository, options)
    return credential && secretOf(credential)
  }

  async #find(repository: string, options: Abortable): Promise<Held> {
    const { host, credentials, now } = this.#deps
    const found = await credentials.find(host, repository, options)
    const { lastsMs = Infinity } = found
    // One that has ended as it comes is shown all the same: the registry's clock is the one that counts.
    if (lastsMs <= 0) return { found, endsAt: Infinity, oldAt: Infinity }
    const endsAt = now() + lastsMs
    return { found, endsAt, oldAt: endsAt - Math.min(MARGIN_MS, lastsMs / 2) }
  }
}

function secretOf(credential: Credential): string {
  return credential.kind === 'password' ? `${credential.username}:${credential.password}` : credential.token
}
