import { AuthError, OciPublishError, RegistryError, type ErrorContext, type Refusal, type Side } from '../errors.ts'
import type { HttpError } from '../http/error.ts'
import { redactUrl } from '../http/redact.ts'
import { isRetriable } from '../http/retry.ts'
import { isThrottling } from '../http/throttle.ts'
import type { HttpResponse } from '../http/transport.ts'
import type { FoundCredential } from './credentials/credential.ts'
import { causeCodes, hintFor, isMissingProject, sizeHint } from './hint.ts'
import { readRefusalBody } from './refusal-body.ts'

/** What was asked, for the error. */
export interface Asked {
  readonly side: Side
  readonly host: string
  readonly repository: string
  readonly operation: string
  readonly method: string
}

const MAX_ERROR_BYTES = 64 << 10

/** Headers by which the registry's operators find a request: AWS, GitHub, Microsoft, Cloudflare, everybody. */
const REQUEST_IDS = ['x-amzn-requestid', 'x-github-request-id', 'x-ms-correlation-request-id', 'x-request-id', 'cf-ray']

/** Codes that mean "later", whatever the status; UNKNOWN does where it is the registry's own fault. */
const RETRIABLE = ['TOOMANYREQUESTS', 'UNAVAILABLE']

/** Turns an answer that is a refusal into the error for it, reading its body. */
export async function refusalOf(response: HttpResponse, asked: Asked): Promise<RegistryError> {
  const body = await response.excerpt(MAX_ERROR_BYTES)
  const { codes, detail } = readRefusalBody(body)
  const { status } = response
  const later =
    isRetriable(status) ||
    isThrottling(status, body) ||
    codes.some(code => RETRIABLE.includes(code) || (code === 'UNKNOWN' && status >= 500))
  const refusal: Refusal = {
    ...asked,
    url: redactUrl(response.url),
    status,
    codes,
    detail: response.gaveUp === undefined ? detail : [detail, `(${response.gaveUp})`].filter(Boolean).join(' '),
    requestId: REQUEST_IDS.map(name => response.header(name)).find(id => id !== undefined),
    // What the transport gave up on (spent, or told to come back in an hour) is not worth a loop around it.
    retriable: response.gaveUp === undefined && later,
  }
  return new RegistryError(refusal, { hint: hintFor({ ...refusal, causes: [], webPage: isWebPage(response) }) })
}

/** Whether it is a page for people: of a proxy, a login, or whatever else answers in the place of a registry. */
export function isWebPage(response: HttpResponse): boolean {
  return /^\s*(?:text\/html|application\/xhtml)/i.test(response.header('content-type') ?? '')
}

/** The error for no answer at all, or for one that is too large to be one. */
export function unreachable(error: HttpError, asked: Asked): OciPublishError {
  const { host, repository, operation, method } = asked
  if (error.code === 'ANSWER_TOO_LARGE') {
    const message = `${host}/${repository}: could not ${operation}: ${error.reason} (${method} ${error.url})`
    return new OciPublishError('TOO_LARGE', message, { cause: error, hint: sizeHint(operation) })
  }
  const refusal: Refusal = {
    ...asked,
    url: error.url,
    status: 0,
    codes: [],
    detail: error.attempts > 1 ? `${error.reason} (${error.attempts} attempts)` : error.reason,
    requestId: undefined,
    retriable: error.retriable,
  }
  return new RegistryError(refusal, {
    cause: error,
    hint: hintFor({ ...refusal, causes: causeCodes(error), webPage: false }) ?? error.hint,
  })
}

/** What is known of how the refused request was authorised; of a request for a token, nothing is. */
export interface Authorised {
  /** The registry's token service gave a token: the password is right, whatever is wrong. */
  readonly granted?: boolean
  /** Other requests with the same credentials were answered. */
  readonly answered?: boolean
}

/** Harbor's word for right credentials without the right, with a challenge as for wrong ones. */
const LACKS_RIGHT = /\bunauthorized to access repository\b/i

/**
 * What a refusal means once it is known which credentials were shown: none where some were wanted, wrong ones, or right
 * ones that do not reach so far. Every other refusal stays what it is.
 */
export function withCredentials(
  refusal: RegistryError,
  found: FoundCredential | undefined,
  authorised?: Authorised,
): OciPublishError {
  const { status, host, repository, operation, side, hint, message } = refusal
  if (found?.credential === undefined) {
    if (status !== 401 && status !== 403) return refusal
    return noCredentials(host, operation, found?.lookedAt ?? [], refusal)
  }
  const whose = `the credentials of ${found.from ?? 'unknown origin'}`
  const may = side === 'target' ? 'push to' : 'read'
  const right = `give them the right to ${side === 'target' ? 'write to' : 'read'} "${repository}"`
  const options = (text: string): ErrorContext => ({ cause: refusal, hint: hint ?? text })
  if (status === 403 && authorised && hint === undefined) {
    return new RegistryError(refusal, options(`${whose} may not ${may} ${host}/${repository}: ${right}`))
  }
  if (status !== 401 || isMissingProject(refusal)) return refusal
  if (authorised?.granted === true || LACKS_RIGHT.test(refusal.detail)) {
    const text = `${right}, or use others; they are valid, only not for this`
    return new AuthError(host, `${whose} may not ${may} ${host}/${repository}: ${message}`, options(text))
  }
  if (authorised?.answered === true) {
    const text = `${right} if they are valid, else check username and password`
    return new AuthError(host, `${host} does not let ${whose} ${may} ${repository}: ${message}`, options(text))
  }
  const text = `check username and password, or run "docker login ${host}" again`
  return new AuthError(host, `${host} refused ${whose}: ${message}`, options(text))
}

function noCredentials(host: string, operation: string, lookedAt: readonly string[], cause: RegistryError): AuthError {
  const looked = lookedAt.length === 0 ? '' : `; looked at: ${lookedAt.join(', ')}`
  const hint = `add "registry: ${host}", "username" and "password", or run "docker login ${host}" before`
  return new AuthError(
    host,
    `no credentials for ${host}, which wants some to ${operation}${looked} (${answerOf(cause)})`,
    {
      cause,
      hint: cause.hint === undefined ? hint : `${hint}; ${cause.hint}`,
    },
  )
}

/** What came back, without where from: `503 down for repair`, `the connection was cut (ECONNRESET)`. */
export function answerOf({ status, codes, detail }: RegistryError): string {
  return [status === 0 ? '' : `${status}`, ...codes, detail].filter(part => part !== '').join(' ')
}
