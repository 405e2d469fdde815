import type { Blob } from '../../content/blob.ts'
import type { Abortable } from '../../async/abortable.ts'
import { IntegrityError, RegistryError } from '../../errors.ts'
import { redactUrl } from '../../http/redact.ts'
import type { HttpResponse } from '../../http/transport.ts'
import type { Descriptor } from '../../oci/descriptor.ts'
import { isDigest } from '../../oci/digest.ts'
import type { Access } from '../access.ts'

/**
 * Whether a blob is there.
 *
 * @see distribution-spec, "Checking if content exists in the registry"
 */
export async function hasBlob(access: Access, { digest }: Descriptor, { signal }: Abortable): Promise<boolean> {
  const request = { to: access.path(`blobs/${digest}`), operation: `look for blob ${digest}`, signal }
  const head = await access.ask({ ...request, method: 'HEAD', answers: [200, 400, 403, 404, 405] })
  await head.discard()
  if (head.status === 200 || head.status === 404) return head.status === 200
  // An answer to HEAD has no body: what is wrong, if anything is, only GET can say.
  const headers = { range: 'bytes=0-0' }
  const get = await access.ask({ ...request, method: 'GET', headers, answers: [200, 206, 404, 416] })
  await get.discard()
  return get.status !== 404
}

/**
 * Opens an upload session, or mounts the blob from another repository of the registry.
 *
 * @returns where to send the bytes; undefined when it was mounted
 * @see distribution-spec, "Pushing a blob monolithically" and "Mounting a blob from another repository"
 */
export async function openSession(
  access: Access,
  { digest }: Descriptor,
  { mountFrom, signal }: Abortable & { readonly mountFrom?: string | undefined },
): Promise<URL | undefined> {
  const query = mountFrom === undefined ? '' : `?mount=${digest}&from=${encodeURIComponent(mountFrom)}`
  const operation = mountFrom === undefined ? `start to push blob ${digest}` : `mount blob ${digest} from ${mountFrom}`
  const response = await access.ask({
    method: 'POST',
    to: `${access.path('blobs/uploads/')}${query}`,
    headers: { 'content-length': '0' },
    // A mount is only asked for, never insisted on.
    ...(mountFrom !== undefined && { reads: mountFrom }),
    answers: mountFrom === undefined ? [202] : [201, 202],
    operation,
    signal,
  })
  await response.discard()
  if (response.status === 201) return undefined
  return locationOf(access, response, operation)
}

function locationOf(access: Access, response: HttpResponse, operation: string): URL {
  const location = response.header('location') ?? ''
  const problem = (detail: string): RegistryError =>
    new RegistryError({
      side: access.side,
      host: access.host.name,
      repository: access.repository,
      operation,
      method: 'POST',
      url: redactUrl(response.url),
      status: response.status,
      codes: [],
      detail,
      requestId: undefined,
      retriable: false,
    })
  if (location === '' || !URL.canParse(location, response.url.href))
    throw problem('without a Location to send the blob to')
  const url = secured(new URL(location, response.url), access.host.base)
  const because = access.host.judgeLocation(url)
  if (because !== undefined) throw problem(`wants the blob sent to ${redactUrl(url)}, which is refused: ${because}`)
  return url
}

/** A registry behind a proxy that ends TLS may not know of it, and names itself by http. */
function secured(url: URL, base: URL): URL {
  if (base.protocol !== 'https:' || url.protocol !== 'http:' || url.hostname !== base.hostname) return url
  return new URL(`${base.origin}${url.pathname}${url.search}`)
}

/** How long a body may take at a slow pace, so that a token does not end before. */
const SLOW_BYTES_PER_MS = 1_000

/**
 * Sends a whole blob in one PUT and closes the session with it.
 *
 * Not retried here: whether the bytes arrived is for HEAD to say.
 *
 * @throws {IntegrityError} when the registry took the bytes for other ones
 */
export async function sendBlob(access: Access, blob: Blob, location: URL, { signal }: Abortable): Promise<void> {
  const { digest, size } = blob.descriptor
  const response = await access.ask({
    method: 'PUT',
    to: withDigest(location, digest),
    headers: { 'content-type': 'application/octet-stream' },
    body: { size, open: options => blob.open(options) },
    retry: 'never',
    lastsMs: size / SLOW_BYTES_PER_MS,
    answers: [200, 201, 202, 204],
    operation: `push blob ${digest}`,
    signal,
  })
  await response.discard()
  const stored = response.header('docker-content-digest')
  if (stored !== undefined && isDigest(stored) && stored.slice(0, 7) === digest.slice(0, 7) && stored !== digest) {
    throw new IntegrityError(`${access.host.name}/${access.repository}`, digest, stored)
  }
}

/** The query of a Location may be signed: it is kept byte for byte, and added to. */
function withDigest(location: URL, digest: string): URL {
  const query = location.search === '' ? '?' : location.search === '?' ? '' : `${location.search}&`
  const bare = `${location.protocol}//${location.host}${location.pathname}`
  return new URL(`${bare}${query}digest=${encodeURIComponent(digest)}`)
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
    await (await end(locationOf(access, status, options.operation))).discard()
  } catch {
    // It will expire.
  }
}
