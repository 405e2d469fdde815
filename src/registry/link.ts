import { OciPublishError } from '../errors.ts'
import { redactUrl } from '../http/redact.ts'
import type { HttpResponse } from '../http/transport.ts'
import { quoted } from '../oci/quoted.ts'
import type { Access, AccessRequest } from './access.ts'
import { parseLinks } from './parse-links.ts'

/** More than any list of a registry that ends has. */
const MAX_PAGES = 1_000

/** Where the next page is, as the `Link` headers of an answer say (RFC 8288), relative or absolute. */
export function nextOf(links: readonly string[]): string | undefined {
  return links.flatMap(parseLinks).find(({ relations }) => relations.includes('next'))?.target
}

export type PagesRequest = Omit<AccessRequest, 'method' | 'to'> & { readonly to: string }

/**
 * Every page of a list, beginning with the first. An answer that is not 200 is the last one.
 *
 * @throws {OciPublishError} INVALID_LIST when the pages lead elsewhere, in circles, or have no end
 * @see distribution-spec, "Listing Tags" and "Listing Referrers"
 */
export async function* pagesOf(access: Access, request: PagesRequest): AsyncGenerator<HttpResponse> {
  const seen = new Set<string>()
  let { to } = request
  while (seen.size < MAX_PAGES) {
    seen.add(to)
    const response = await access.ask({ ...request, method: 'GET', to })
    const next = nextOf(response.headerValues('link'))
    yield response
    if (next === undefined || response.status !== 200) return
    to = follow(access, request, response, next)
    if (seen.has(to)) throw invalid(access, request, 'one page leads to another that was read before')
  }
  throw invalid(access, request, `it has more than ${MAX_PAGES} pages`)
}

/**
 * Only the query of a link is taken: the next page is one of the same list, whatever the registry believes to be called.
 * Behind a proxy it may know neither its scheme and port nor the whole path.
 */
function follow(access: Access, request: PagesRequest, { url }: HttpResponse, next: string): string {
  const target = URL.canParse(next, url.href) ? new URL(next, url) : undefined
  const [path = ''] = request.to.split('?', 1)
  const list = path.slice(access.root.length)
  const isOurs = target?.hostname === url.hostname || target?.hostname === access.host.base.hostname
  if (target && isOurs && decoded(target.pathname).endsWith(`/${list}`)) return `${path}${target.search}`
  const shown = target ? redactUrl(target) : quoted(next)
  throw invalid(access, { operation: 'read the next page' }, `it is said to be at ${shown}`)
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function invalid(access: Access, { operation }: Pick<AccessRequest, 'operation'>, because: string): OciPublishError {
  const place = `${access.host.name}/${access.repository}`
  return new OciPublishError('INVALID_LIST', `${place}: could not ${operation}: ${because}`)
}
