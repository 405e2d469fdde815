import type { Abortable } from '../async/abortable.ts'
import { Once } from '../async/once.ts'
import { AuthError } from '../errors.ts'
import { passwordCredential, type CredentialSource, type FoundCredential } from '../registry/credentials/credential.ts'
import { awsFailure } from './aws-failure.ts'
import type { EcrToken, OpenEcrApi } from './ecr-api.ts'
import { parseEcrHost, type EcrHost } from './ecr-host.ts'

export interface EcrCredentialDeps {
  readonly open: OpenEcrApi
  /** Whether asking AWS could lead anywhere; public images are also for those who never heard of it. */
  readonly hasIdentity: () => Promise<boolean>
  /** Told a token and its password before they are used. */
  readonly onSecret: (secret: string) => void
  /** Milliseconds since 1970, the clock that AWS's tokens end by. */
  readonly now?: (() => number) | undefined
}

/** Credentials that can be had anew. */
export interface EcrCredentials extends CredentialSource {
  forget(host: string): void
}

/** A token this close to its end is not shown any more: a large layer has to arrive with it. */
const MARGIN_MS = 15 * 60_000

/**
 * Credentials of ECR, from AWS itself: one token for each account and region, asked for when a registry first wants one
 * and again before it ends (after twelve hours). Hosts of others are passed over.
 */
export function ecrCredentials(deps: EcrCredentialDeps): EcrCredentials {
  const tokens = new Tokens(deps)
  return {
    async find(host, _repository, { signal } = {}) {
      signal?.throwIfAborted()
      const ecr = parseEcrHost(host)
      if (!ecr) return nothing()
      const from = ecr.kind === 'public' ? 'AWS (ECR Public)' : `AWS (ECR in ${ecr.region})`
      if (ecr.kind === 'public' && !(await deps.hasIdentity())) return nothing(`${from}: no identity here`)
      try {
        const { username, password, lastsMs } = await tokens.get(ecr, { signal })
        const credential = passwordCredential(username, password)
        return { credential, from, lookedAt: [from], lastsMs, ...(ecr.kind === 'public' && { implied: true }) }
      } catch (error) {
        signal?.throwIfAborted()
        const { reason, hint } = awsFailure(error, actionFor(ecr))
        // Whoever may not write there may still read.
        if (ecr.kind === 'public') return nothing(`${from}: ${reason}`)
        throw new AuthError(ecr.host, `no token for ${ecr.host} from AWS: ${reason}`, {
          cause: error,
          hint: hint ?? `give "registry: ${ecr.host}", "username: AWS" and "password"`,
        })
      }
    },
    forget(host) {
      const ecr = parseEcrHost(host)
      if (ecr) tokens.forget(ecr)
    },
  }
}

function nothing(...lookedAt: readonly string[]): FoundCredential {
  return { credential: undefined, from: undefined, lookedAt }
}

function actionFor({ kind }: EcrHost): string {
  return kind === 'private'
    ? 'ecr:GetAuthorizationToken'
    : 'ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken'
}

interface Login {
  readonly username: string
  readonly password: string
}

class Tokens {
  readonly #deps: EcrCredentialDeps
  readonly #now: () => number
  readonly #asked = new Once<string, EcrToken & { readonly by: symbol }>()
  /** Which one of a registry's tokens is the one to show; those before it are dropped. */
  readonly #generations = new Map<string, number>()

  constructor(deps: EcrCredentialDeps) {
    this.#deps = deps
    this.#now = deps.now ?? ((): number => Date.now())
  }

  async get(ecr: EcrHost, io: Abortable): Promise<Login & { readonly lastsMs: number }> {
    const key = keyOf(ecr)
    for (;;) {
      const generation = this.#generations.get(key) ?? 0
      const me = Symbol(key)
      const asked = this.#asked.run(`${key} ${generation}`, async () => ({ ...(await this.#ask(ecr, io)), by: me }))
      const token = await orAborted(asked, io)
      // One that was only just made is what there is, whatever it says of its end.
      const lastsMs = token.expiresAt - this.#now()
      if (token.by === me || lastsMs > MARGIN_MS) return { ...loginOf(token), lastsMs }
      this.#drop(key, generation)
    }
  }

  forget(ecr: EcrHost): void {
    const key = keyOf(ecr)
    this.#drop(key, this.#generations.get(key) ?? 0)
  }

  /** Many may find the same token too old; only the first of them drops it. */
  #drop(key: string, generation: number): void {
    if ((this.#generations.get(key) ?? 0) !== generation) return
    this.#asked.forget(`${key} ${generation}`)
    this.#generations.set(key, generation + 1)
  }

  async #ask(ecr: EcrHost, io: Abortable): Promise<EcrToken> {
    const token = await (await this.#deps.open(ecr)).token(io)
    this.#deps.onSecret(token.authorization)
    this.#deps.onSecret(loginOf(token).password)
    return token
  }
}

function keyOf(ecr: EcrHost): string {
  return ecr.kind === 'public' ? ecr.kind : `${ecr.account} ${ecr.region}`
}

function loginOf({ authorization }: EcrToken): Login {
  const decoded = Buffer.from(authorization, 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  return { username: decoded.slice(0, Math.max(colon, 0)), password: decoded.slice(colon + 1) }
}

/** AWS's chain of credentials cannot be told to stop; who asked need not wait for it. */
async function orAborted<T>(work: Promise<T>, { signal }: Abortable): Promise<T> {
  if (!signal) return work
  signal.throwIfAborted()
  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = (): void => {
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort)
  }
}
