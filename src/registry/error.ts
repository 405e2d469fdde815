import { AuthError, RegistryError, type OciPublishError, type Refusal, type Side } from '../errors.ts'
import type { HttpError } from '../http/error.ts'
import { redactUrl } from '../http/redact.ts'
import { isRetriable } from '../http/retry.ts'
import type { HttpResponse } from '../http/transport.ts'
import type { FoundCredential } from './credentials/credential.ts'
import { causeCodes, hintFor } from './hint.ts'
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

const RETRIABLE = ['TOOMANYREQUESTS', 'UNAVAILABLE']

/** Turns an answer that is a refusal into the error for it, reading its body. */
export async function refusalOf(response: HttpResponse, asked: Asked): Promise<RegistryError> {
  const { codes, detail } = readRefusalBody(await response.excerpt(MAX_ERROR_BYTES))
  const { status } = response
  const refusal: Refusal = {
    ...asked,
    url: redactUrl(response.url),
    status,
    codes,
    detail: response.gaveUp === undefined ? detail : [detail, `(${response.gaveUp})`].filter(Boolean).join(' '),
    requestId: REQUEST_IDS.map(name => response.header(name)).find(id => id !== undefined),
    // What the transport gave up on (spent, or told to come back in an hour) is not worth a loop around it.
    retriable: response.gaveUp === undefined && (isRetriable(status) || codes.some(code => RETRIABLE.includes(code))),
  }
  return new RegistryError(refusal, { hint: hintFor({ ...refusal, causes: [] }) })
}

/** The error for no answer at all. */
export function unreachable(error: HttpError, asked: Asked): RegistryError {
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
    hint: hintFor({ ...refusal, causes: causeCodes(error) }) ?? error.hint,
  })
}

/**
 * What a refusal means once it is known which credentials were shown: none where some were wanted, or wrong ones. Every
 * other refusal stays what it is.
 */
export function withCredentials(refusal: RegistryError, found: FoundCredential | undefined): OciPublishError {
  const { status, host, operation } = refusal
  if (found?.credential === undefined) {
    if (status !== 401 && status !== 403) return refusal
    return noCredentials(host, operation, found?.lookedAt ?? [], refusal)
  }
  if (status !== 401) return refusal
  return new AuthError(
    host,
    `${host} refused the credentials of ${found.from ?? 'unknown origin'}: ${refusal.message}`,
    {
      cause: refusal,
      hint: refusal.hint ?? `check username and password, or run "docker login ${host}" again`,
    },
  )
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
