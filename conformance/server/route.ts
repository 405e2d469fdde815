import type { Exchange } from './answer.ts'
import { Refused } from './answer.ts'
import type { Need } from './auth.ts'

/** distribution-spec, "Pulling manifests": what `<name>` may be. */
const NAME = /^[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*(?:[/][a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*)*$/
const METHODS = {
  blobs: ['HEAD', 'GET', 'DELETE'],
  manifests: ['HEAD', 'GET', 'PUT', 'DELETE'],
  start: ['POST'],
  upload: ['PATCH', 'PUT', 'GET', 'DELETE'],
  tags: ['GET'],
  referrers: ['GET'],
} as const

export interface Route {
  readonly kind: keyof typeof METHODS
  readonly name: string
  /** Digest, tag or upload. */
  readonly rest: string
}

/**
 * Finds out what a request is about.
 *
 * @returns undefined for `/v2/` itself
 * @throws {Refused} 400 NAME_INVALID, 404 NAME_UNKNOWN, 405 UNSUPPORTED
 */
export function parseRoute(path: string, method: string): Route | undefined {
  if (path === '/v2/' || path === '/v2') return undefined
  const [, name = '', kind = '', rest = ''] =
    /^[/]v2[/](.+)[/](blobs[/]uploads|blobs|manifests|tags|referrers)[/](.*)$/.exec(decodeURIComponent(path)) ?? []
  const route = (found: keyof typeof METHODS): Route => {
    if (!NAME.test(name)) throw new Refused(400, { code: 'NAME_INVALID', message: 'not a name', detail: { name } })
    const allowed: readonly string[] = METHODS[found]
    if (allowed.includes(method)) return { kind: found, name, rest }
    throw new Refused(
      405,
      { code: 'UNSUPPORTED', message: `${method} is not for this` },
      { allow: METHODS[found].join(', ') },
    )
  }
  if (kind === 'blobs/uploads') return route(rest === '' ? 'start' : 'upload')
  if ((kind === 'blobs' || kind === 'manifests' || kind === 'referrers') && rest !== '') return route(kind)
  if (kind === 'tags' && rest === 'list') return route('tags')
  throw new Refused(404, { code: 'NAME_UNKNOWN', message: 'no such endpoint', detail: { path } })
}

/** What a request may only do with a right to it. */
export function needs(route: Route | undefined, { method, query }: Exchange): readonly Need[] {
  if (route === undefined) return []
  const { kind, name: repository } = route
  if (kind === 'start') {
    const from = query.get('from')
    const source: readonly Need[] = from === null ? [] : [{ repository: from, actions: ['pull'] }]
    return [{ repository, actions: ['pull', 'push'] }, ...source]
  }
  if (method === 'DELETE' && kind !== 'upload') return [{ repository, actions: ['delete'] }]
  const reads = kind !== 'upload' && (method === 'GET' || method === 'HEAD')
  return [{ repository, actions: reads ? ['pull'] : ['pull', 'push'] }]
}
