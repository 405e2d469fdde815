import * as v from 'valibot'
import type { Abortable } from '../../async/abortable.ts'
import { bytesBody } from '../../http/body.ts'
import type { HttpResponse, Transport } from '../../http/transport.ts'
import { parse, parseJson } from '../../parse.ts'
import type { Credential } from '../credentials/credential.ts'

export interface TokenQuery {
  /** Judged already: credentials are shown to it. */
  readonly realm: URL
  readonly service: string | undefined
  readonly scopes: readonly string[]
}

export interface Token {
  readonly value: string
  /** From its arrival; the server's clock is not trusted. */
  readonly lifetimeMs: number
}

export interface TokenDeps extends Abortable {
  readonly transport: Transport
  /** Told every secret before it is used. */
  readonly onSecret: (secret: string) => void
}

const MAX_TOKEN_BYTES = 64 << 10
const CLIENT_ID = 'oci-publish'
/** What is said or implied to be shorter lives as long as this: the protocol's own default. */
const MIN_LIFETIME_SECONDS = 60

const text = v.optional(v.string('is not text'))
const answer = v.object(
  { token: text, access_token: text, expires_in: v.fallback(v.optional(v.number()), undefined) },
  'is not an object',
)

/**
 * Asks a token service: with POST (OAuth2) for an identity token, with GET for a password or for nobody.
 *
 * @returns the answer as it is where the service refused
 * @see distribution, "Token authentication" and "OAuth2 token authentication"
 */
export async function requestToken(
  query: TokenQuery,
  credential: Credential | undefined,
  deps: TokenDeps,
): Promise<Token | HttpResponse> {
  const { onSecret } = deps
  let response =
    credential?.kind === 'identity' ? await post(query, credential.token, deps) : await get(query, credential, deps)
  if (credential?.kind === 'identity' && [404, 405].includes(response.status)) {
    // Services of before OAuth2 take the identity token in the place of a password.
    await response.discard()
    response = await get(query, credential, deps)
  }
  if (response.status !== 200) return response
  const where = `token of ${query.realm.host}`
  const said = parse(answer, parseJson(await response.text(MAX_TOKEN_BYTES), where), where)
  const value = said.token ?? said.access_token ?? ''
  if (value !== '') onSecret(value)
  const lifetimeSeconds = Math.max(MIN_LIFETIME_SECONDS, said.expires_in ?? MIN_LIFETIME_SECONDS)
  return { value, lifetimeMs: lifetimeSeconds * 1_000 }
}

function get(
  { realm, service, scopes }: TokenQuery,
  credential: Credential | undefined,
  deps: TokenDeps,
): Promise<HttpResponse> {
  const url = new URL(realm)
  if (service !== undefined) url.searchParams.append('service', service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  const authorization = credential && basic(credential, deps.onSecret)
  return deps.transport.request({
    method: 'GET',
    url,
    headers: { accept: 'application/json', ...(authorization !== undefined && { authorization }) },
    operation: 'get a token',
    signal: deps.signal,
    wholeBodyBytes: MAX_TOKEN_BYTES,
  })
}

function post({ realm, service, scopes }: TokenQuery, token: string, deps: TokenDeps): Promise<HttpResponse> {
  deps.onSecret(token)
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token, client_id: CLIENT_ID })
  if (service !== undefined) form.set('service', service)
  form.set('scope', scopes.join(' '))
  return deps.transport.request({
    method: 'POST',
    url: realm,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: bytesBody(new TextEncoder().encode(form.toString())),
    operation: 'get a token',
    // The secret is in the body here, where no rule about headers protects it from a redirect.
    redirect: 'manual',
    signal: deps.signal,
    wholeBodyBytes: MAX_TOKEN_BYTES,
  })
}

/** Value of an `Authorization` header; undefined for a credential that is no password. */
export function basic(credential: Credential, onSecret: (secret: string) => void): string | undefined {
  if (credential.kind === 'bearer') return undefined
  const [username, password] =
    credential.kind === 'password' ? [credential.username, credential.password] : ['<token>', credential.token]
  const encoded = Buffer.from(`${username}:${password}`, 'utf8').toString('base64')
  onSecret(password)
  onSecret(encoded)
  return `Basic ${encoded}`
}

/** Whether a token service gave a token; what is not one is the answer of a refusal. */
export function isToken(answer: Token | HttpResponse): answer is Token {
  return 'lifetimeMs' in answer
}
