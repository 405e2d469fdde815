import type { Abortable } from '../../async/abortable.ts'
import { RegistryError } from '../../errors.ts'
import { redactUrl } from '../../http/redact.ts'
import type { HttpResponse } from '../../http/transport.ts'
import type { Descriptor } from '../../oci/descriptor.ts'
import type { Digest } from '../../oci/digest.ts'
import type { Repository } from '../../oci/repository.ts'
import type { Access } from '../access.ts'
import { offsetOf } from './pieces.ts'

/**
 * Whether a blob is there.
 *
 * @see distribution-spec, "Checking if content exists in the registry"
 */
export async function hasBlob(access: Access, { digest }: Descriptor, { signal }: Abortable): Promise<boolean> {
  const request = { to: access.blob(digest), operation: `look for blob ${digest}`, signal }
  const head = await access.ask({ ...request, method: 'HEAD', answers: [200, 400, 401, 403, 404, 405] })
  await head.discard()
  if (head.status === 200 || head.status === 404) return head.status === 200
  // An answer to HEAD has no body: what is wrong, if anything is, only GET can say.
  const headers = { range: 'bytes=0-0' }
  const get = await access.ask({ ...request, method: 'GET', headers, answers: [200, 206, 404, 416] })
  await get.discard()
  return get.status !== 404
}

/** Where the bytes of an upload go. */
export interface Session {
  readonly location: URL
  /** What a piece must not be smaller than, by `OCI-Chunk-Min-Length`; 0 where nothing is said. */
  readonly leastBytes: number
}

/**
 * Opens an upload session, or mounts the blob from another repository of the registry.
 *
 * @returns undefined when it was mounted
 * @see distribution-spec, "Pushing a blob monolithically" and "Mounting a blob from another repository"
 */
export async function openSession(
  access: Access,
  { digest }: Descriptor,
  { mountFrom, signal }: Abortable & { readonly mountFrom?: Repository | undefined },
): Promise<Session | undefined> {
  const asked = [
    ...(mountFrom === undefined ? [] : [`mount=${digest}`, `from=${encodeURIComponent(mountFrom)}`]),
    ...algorithmOf(digest),
  ]
  const query = asked.length === 0 ? '' : `?${asked.join('&')}`
  const operation = mountFrom === undefined ? `start to push blob ${digest}` : `mount blob ${digest} from ${mountFrom}`
  const response = await access.ask({
    method: 'POST',
    to: `${access.uploads}${query}`,
    headers: { 'content-length': '0' },
    // A mount is only asked for, never insisted on.
    ...(mountFrom !== undefined && { reads: mountFrom }),
    answers: mountFrom === undefined ? [202] : [201, 202],
    operation,
    signal,
  })
  await response.discard()
  if (response.status === 201) return undefined
  const least = Number(response.header('oci-chunk-min-length') ?? 0)
  return {
    location: locationOf(access, response, { method: 'POST', operation }),
    leastBytes: Number.isSafeInteger(least) && least > 0 ? least : 0,
  }
}

/**
 * What a registry that hashes while it receives has to know before the first byte. Of sha256 nothing is said: it is what
 * everybody takes for granted, and a query that nobody knows is refused here and there.
 *
 * @see distribution-spec, "Pushing a blob in chunks" (end-4c)
 */
function algorithmOf(digest: Digest): readonly string[] {
  const [algorithm = ''] = digest.split(':')
  return algorithm === 'sha256' ? [] : [`digest-algorithm=${algorithm}`]
}

/**
 * How far an interrupted upload came.
 *
 * Asked once, and taken for lost unless it tells: distribution 2 ends a session that is cut, zot removes it, and what is
 * known of others is no more than that they may answer.
 *
 * @see distribution-spec, "Resuming an upload" (end-13)
 */
export async function sessionStatus(
  access: Access,
  location: URL,
  { signal }: Abortable,
): Promise<{ readonly location: URL; readonly offset: number } | undefined> {
  const asked = { method: 'GET', operation: 'ask how far an upload came' } as const
  try {
    const response = await access.ask({ ...asked, to: location, answers: [204], signal })
    await response.discard()
    const offset = offsetOf(response.header('range'))
    return offset === undefined ? undefined : { location: newest(access, response, { ...asked, location }), offset }
  } catch {
    signal?.throwIfAborted()
    return undefined
  }
}

interface About {
  readonly method: string
  readonly operation: string
}

/** The Location of an answer within a session, or the one before where it names none. */
export function newest(access: Access, response: HttpResponse, about: About & { readonly location: URL }): URL {
  return response.header('location') === undefined ? about.location : locationOf(access, response, about)
}

const ELSEWHERE =
  'nothing was sent there: the registry, or the proxy in front of it, has to name itself as it is reached from here'

function locationOf(access: Access, response: HttpResponse, { method, operation }: About): URL {
  const location = response.header('location') ?? ''
  const problem = (detail: string, hint?: string): RegistryError => {
    const refusal = {
      side: access.side,
      host: access.host.name,
      repository: access.repository,
      operation,
      method,
      url: redactUrl(response.url),
      status: response.status,
      codes: [],
      detail,
      requestId: undefined,
      retriable: false,
    }
    return new RegistryError(refusal, { hint })
  }
  if (location === '' || !URL.canParse(location, response.url.href))
    throw problem('without a Location to send the blob to')
  const url = secured(new URL(location, response.url), access.host.base)
  const isManifest = url.origin === access.host.base.origin && url.pathname.includes('/manifests/')
  const because = isManifest ? 'it is the place of a manifest' : access.host.judgeLocation(url)
  if (because !== undefined) {
    throw problem(`wants the blob sent to ${redactUrl(url)}, which is refused: ${because}`, ELSEWHERE)
  }
  return url
}

/** A registry behind a proxy that ends TLS may not know of it, and names itself by http. */
function secured(url: URL, base: URL): URL {
  if (base.protocol !== 'https:' || url.protocol !== 'http:' || url.hostname !== base.hostname) return url
  return new URL(`${base.origin}${url.pathname}${url.search}`)
}

const CANCEL_MS = 5_000

/** Ends a session that is of no use any more. What the registry says to that is of no interest. */
export async function cancelSession(access: Access, location: URL): Promise<void> {
  // Not the signal of the push: that one may be why there is something to cancel.
  const options = { retry: 'never', operation: 'cancel an upload', signal: AbortSignal.timeout(CANCEL_MS) } as const
  const end = (to: URL): Promise<HttpResponse> =>
    access.ask({ ...options, method: 'DELETE', to, answers: [200, 202, 204, 416] })
  try {
    const ended = await end(location)
    await ended.discard()
    if (ended.status !== 416) return
    // distribution 3 wants the Location of after the bytes that did arrive (end-13).
    const status = await access.ask({ ...options, method: 'GET', to: location, answers: [204] })
    await status.discard()
    await (await end(locationOf(access, status, { ...options, method: 'GET' }))).discard()
  } catch {
    // It will expire.
  }
}
