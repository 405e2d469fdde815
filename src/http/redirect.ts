import type { Reach } from './address.ts'
import { reachOf } from './address.ts'
import { redactUrl } from './redact.ts'

/** Scheme, host and port: what credentials are bound to. */
export function sameOrigin(a: URL, b: URL): boolean {
  return a.protocol === b.protocol && a.host === b.host
}

/**
 * Whether a server may send us from one URL to another: by a redirect, an upload Location, or a token realm.
 *
 * @returns why not, in words; undefined when it may
 */
export function mayFollow(from: URL, to: URL): string | undefined {
  if (to.protocol !== 'https:' && to.protocol !== 'http:') return `${to.protocol} is not http`
  if (from.protocol === 'https:' && to.protocol === 'http:') return 'it leads from https to plain http'
  if (from.hostname === to.hostname) return undefined
  // A server may point at its own neighbourhood or further out, never further in: what is in there trusts its callers.
  const reach = reachOf(to.hostname)
  if (reach === 'public' || NEIGHBOURS[reachOf(from.hostname)].includes(reach)) return undefined
  return `${to.hostname} is a ${reach} address, ${from.hostname} is not`
}

/** Which reaches besides the public one a server of this reach may point at. */
const NEIGHBOURS: Readonly<Record<Reach, readonly Reach[]>> = {
  public: [],
  private: ['private'],
  loopback: ['loopback', 'private'],
  'link-local': [],
}

/**
 * Whether credentials of a registry may be shown to the token service that its challenge names. Over plain http they go to
 * the registry's own host, into the private network, and to hosts that the user named for it; never out to the public.
 *
 * @param plainHttp host and port that the user lets be reached without TLS
 * @returns why not, in words; undefined when they may
 */
export function judgeRealm(registry: URL, realm: URL, plainHttp: ReadonlySet<string> = new Set()): string | undefined {
  if (realm.username !== '' || realm.password !== '') return 'it carries credentials of its own'
  const because = mayFollow(registry, realm)
  if (because !== undefined || realm.protocol === 'https:') return because
  const isNear = realm.hostname === registry.hostname || reachOf(realm.hostname) !== 'public'
  return isNear || plainHttp.has(realm.host) ? undefined : 'it is plain http to a public host'
}

/** A request as far as redirects change it. */
export interface Hop {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Whether the body goes along. */
  readonly sendBody: boolean
}

export type Redirected = { readonly hop: Hop } | { readonly refused: string }

const MAX_HOPS = 5

const REDIRECTS = new Set([301, 302, 303, 307, 308])
const BOUND_TO_ORIGIN = new Set(['authorization', 'cookie', 'proxy-authorization'])

/**
 * What a 3xx asks for.
 *
 * Credentials stay with the origin they were meant for and do not come back on a later hop (GHSA-vh4v-2xq2-g5cg,
 * GHSA-jxpm-75mh-9fp7). 303, and 301 or 302 after a POST, become GET; everything else keeps method and body.
 *
 * @param hops how many redirects led to `from`
 * @returns undefined when the answer is not a redirect
 */
export function redirect(
  from: Hop,
  status: number,
  location: string | undefined,
  hops: number,
): Redirected | undefined {
  if (!REDIRECTS.has(status) || location === undefined) return undefined
  if (hops >= MAX_HOPS) return { refused: `more than ${MAX_HOPS} redirects` }
  if (!URL.canParse(location, from.url.href)) return { refused: 'its Location is not a URL' }
  const url = new URL(location, from.url)
  const because = mayFollow(from.url, url)
  if (because !== undefined) return { refused: `redirect to ${redactUrl(url)}: ${because}` }
  const toGet = from.method !== 'HEAD' && (status === 303 || (status <= 302 && from.method === 'POST'))
  const kept = Object.entries(from.headers).filter(([name]) => {
    const lower = name.toLowerCase()
    if (toGet && lower.startsWith('content-')) return false
    return sameOrigin(from.url, url) || !BOUND_TO_ORIGIN.has(lower)
  })
  return {
    hop: {
      method: toGet ? 'GET' : from.method,
      url,
      headers: Object.fromEntries(kept),
      sendBody: from.sendBody && !toGet,
    },
  }
}
