import { OciPublishError } from '../errors.ts'
import { redactUrl } from '../http/redact.ts'
import type { HttpResponse } from '../http/transport.ts'
import type { Access, AccessRequest } from './access.ts'

/** More than any list of a registry that ends has. */
const MAX_PAGES = 1_000

const LINK = /<([^>]*)>((?:\s*;\s*[^\s=;,"]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]*))?)*)/g
const REL = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i

/** Where the next page is, as the `Link` headers of an answer say (RFC 8288), relative or absolute. */
export function nextOf(links: readonly string[]): string | undefined {
  for (const [, target, parameters = ''] of links.flatMap(value => [...value.matchAll(LINK)])) {
    const [, quoted, bare = ''] = REL.exec(parameters) ?? []
    if ((quoted ?? bare).toLowerCase().split(/\s+/).includes('next')) return target
  }
  return undefined
}

/**
 * Every page of a list, beginning with the first. An answer that is not 200 is the last one.
 *
 * @throws {OciPublishError} INVALID_LIST when the pages lead elsewhere, in circles, or have no end
 * @see distribution-spec, "Listing Tags" and "Listing Referrers"
 */
export async function* pagesOf(access: Access, request: Omit<AccessRequest, 'method'>): AsyncGenerator<HttpResponse> {
  const seen = new Set<string>()
  let { to } = request
  while (seen.size < MAX_PAGES) {
    seen.add(String(to))
    const response = await access.ask({ ...request, method: 'GET', to })
    const next = nextOf(response.headerValues('link'))
    yield response
    if (next === undefined || response.status !== 200) return
    to = follow(access, response, next)
    if (seen.has(to)) throw invalid(access, request, 'one page leads to another that was read before')
  }
  throw invalid(access, request, `it has more than ${MAX_PAGES} pages`)
}

/** Scheme and port are the registry's own: behind a proxy it may not know them. */
function follow(access: Access, { url }: HttpResponse, next: string): string {
  const target = URL.canParse(next, url.href) ? new URL(next, url) : undefined
  if (target?.hostname === url.hostname || target?.hostname === access.host.base.hostname) {
    return `${target.pathname}${target.search}`
  }
  const shown = target ? redactUrl(target) : next.slice(0, 100)
  throw invalid(access, { operation: 'read the next page' }, `it is said to be at ${shown}`)
}

function invalid(access: Access, { operation }: Pick<AccessRequest, 'operation'>, because: string): OciPublishError {
  const place = `${access.host.name}/${access.repository}`
  return new OciPublishError('INVALID_LIST', `${place}: could not ${operation}: ${because}`)
}
