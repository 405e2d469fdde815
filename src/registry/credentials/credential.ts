import type { Abortable } from '../../async/abortable.ts'

/** What a registry can be shown. */
export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** Exchanged for an access token (OAuth2, `grant_type=refresh_token`). */
  | { readonly kind: 'identity'; readonly token: string }
  /** Shown as it is, as a Bearer token. */
  | { readonly kind: 'bearer'; readonly token: string }

export interface FoundCredential {
  readonly credential: Credential | undefined
  /** For messages: `docker config /root/.docker/config.json`; undefined where nothing was found. */
  readonly from: string | undefined
  /** Every place that was looked at, in order, with what was wrong with it. */
  readonly lookedAt: readonly string[]
  /** Not chosen for this host by the user, so a read may also go on without it. */
  readonly implied?: boolean | undefined
  /** How long it is valid from now on, where the source knows that. */
  readonly lastsMs?: number | undefined
}

/** Where credentials come from. Finding none is an answer, not an error. */
export interface CredentialSource {
  find(host: string, repository: string, options?: Abortable): Promise<FoundCredential>
  /** Drops what is kept for a host, because the registry refused it; the next `find` looks again. */
  forget?(host: string): void
}

/** Docker's name for its Hub in every place where credentials are kept. */
export const HUB_KEY = 'https://index.docker.io/v1/'

const HUB_HOSTS = ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com']

/** One spelling of a registry, so that the same host is never two: lower case, and one name for Docker Hub. */
export function normaliseHost(host: string): string {
  const lower = host.trim().toLowerCase()
  return HUB_HOSTS.includes(lower) ? 'docker.io' : lower
}

/** Username that says: the secret is an identity token (protocol of docker's credential helpers). */
const IDENTITY_USER = '<token>'

export function passwordCredential(username: string, password: string): Credential {
  return username === IDENTITY_USER ? { kind: 'identity', token: password } : { kind: 'password', username, password }
}
