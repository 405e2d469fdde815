import * as v from 'valibot'
import type { Abortable } from '../async/abortable.ts'
import { OciPublishError } from '../errors.ts'
import type { Transport } from '../http/transport.ts'
import { parse, parseJson } from '../parse.ts'

export interface IdTokenDeps extends Abortable {
  readonly env: NodeJS.ProcessEnv
  readonly transport: Transport
  /** Told the token, and what it is asked for with, before they are used. */
  readonly onSecret: (secret: string) => void
}

const answer = v.object({ value: v.pipe(v.string('is not text'), v.nonEmpty('is empty')) }, 'is not an object')

const MAX_ANSWER_BYTES = 64 << 10

/** Whether the job may ask GitHub who it is: it has `permissions: id-token: write`. */
export function hasIdTokens(env: NodeJS.ProcessEnv): boolean {
  return Boolean(env['ACTIONS_ID_TOKEN_REQUEST_URL']) && Boolean(env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'])
}

/**
 * The identity of the job, signed by GitHub for one audience (OpenID Connect).
 *
 * @throws {OciPublishError} NO_ID_TOKEN when the job may not ask, or GitHub refused
 */
export async function githubIdToken(
  audience: string,
  { env, transport, onSecret, signal }: IdTokenDeps,
): Promise<string> {
  const [address = '', requestToken = ''] = [env['ACTIONS_ID_TOKEN_REQUEST_URL'], env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']]
  if (!hasIdTokens(env) || !URL.canParse(address)) throw failed('the job may not ask for one')
  onSecret(requestToken)
  const url = new URL(address)
  url.searchParams.set('audience', audience)
  const response = await transport.request({
    method: 'GET',
    url,
    headers: { accept: 'application/json', authorization: `Bearer ${requestToken}` },
    operation: "get GitHub's ID token",
    wholeBodyBytes: MAX_ANSWER_BYTES,
    signal,
  })
  if (response.status !== 200) {
    await response.discard()
    throw failed(`${url.host} answered ${response.status}`)
  }
  const where = `ID token of ${url.host}`
  const { value } = parse(answer, parseJson(await response.text(MAX_ANSWER_BYTES), where), where)
  onSecret(value)
  return value
}

function failed(because: string): OciPublishError {
  return new OciPublishError('NO_ID_TOKEN', `no ID token of GitHub: ${because}`, {
    hint: 'add "permissions: { id-token: write, contents: read }" to the job',
  })
}
