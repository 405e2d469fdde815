import type { Abortable } from '../../async/abortable.ts'
import { IntegrityError } from '../../errors.ts'
import type { HttpResponse, RequestBody } from '../../http/transport.ts'
import { isDigest, type Digest } from '../../oci/digest.ts'
import type { Access } from '../access.ts'
import { offsetOf } from './pieces.ts'
import { newest } from './session.ts'

export interface SendRequest extends Abortable {
  readonly digest: Digest
  readonly location: URL
  readonly body: RequestBody
  /** Told the answer of a refusal, before it is read. */
  readonly onRefused?: ((response: HttpResponse) => void) | undefined
}

/** How long a body may take at a slow pace, so that a token does not end before. */
const SLOW_BYTES_PER_MS = 1_000

/**
 * Sends a blob, or what a session has not of it from `offset` on, in one PUT and closes the session with it; without a
 * body where the session has all bytes.
 *
 * Not retried here: whether the bytes arrived is for HEAD to say.
 *
 * @throws {IntegrityError} when the registry took the bytes for other ones
 * @see distribution-spec, "Pushing a blob monolithically", and "Pushing a blob in chunks" for the last one
 */
export async function putBlob(access: Access, offset: number, request: SendRequest): Promise<void> {
  const { digest, location, body } = request
  const headers = offset > 0 && body.size > 0 ? rangeOf(offset, body) : {}
  const response = await sent(access, 'PUT', withDigest(location, digest), request, headers, [200, 201, 202, 204])
  const stored = response.header('docker-content-digest')
  if (stored !== undefined && isDigest(stored) && stored.slice(0, 7) === digest.slice(0, 7) && stored !== digest) {
    throw new IntegrityError(`${access.host.name}/${access.repository}`, digest, stored)
  }
}

/**
 * Sends one piece of a blob.
 *
 * Not retried here, for distribution 2 does not look at the range, and would have the piece twice.
 *
 * @returns where the next piece goes, and what the session has by now
 * @see distribution-spec, "Pushing a blob in chunks"
 */
export async function patchPiece(
  access: Access,
  offset: number,
  request: SendRequest,
): Promise<{ readonly location: URL; readonly offset: number }> {
  const { location, body } = request
  // ECR answers 201, older registries 204.
  const response = await sent(access, 'PATCH', location, request, rangeOf(offset, body), [201, 202, 204])
  const range = response.header('range')
  return {
    location: newest(access, response, { method: 'PATCH', operation: operationOf(request), location }),
    offset: range === undefined ? offset + body.size : (offsetOf(range) ?? offset),
  }
}

function rangeOf(offset: number, { size }: RequestBody): Readonly<Record<string, string>> {
  return { 'content-range': `${offset}-${offset + size - 1}` }
}

async function sent(
  access: Access,
  method: string,
  to: URL,
  request: SendRequest,
  headers: Readonly<Record<string, string>>,
  answers: readonly number[],
): Promise<HttpResponse> {
  const { body, onRefused, signal } = request
  const response = await access.ask({
    method,
    to,
    headers: { 'content-type': 'application/octet-stream', ...headers },
    body,
    retry: 'never',
    lastsMs: body.size / SLOW_BYTES_PER_MS,
    answers,
    operation: operationOf(request),
    onRefused,
    signal,
  })
  await response.discard()
  return response
}

function operationOf({ digest }: SendRequest): string {
  return `push blob ${digest}`
}

/** The query of a Location may be signed: it is kept byte for byte, and added to. */
function withDigest(location: URL, digest: string): URL {
  const query = location.search === '' ? '?' : location.search === '?' ? '' : `${location.search}&`
  const bare = `${location.protocol}//${location.host}${location.pathname}`
  return new URL(`${bare}${query}digest=${encodeURIComponent(digest)}`)
}
