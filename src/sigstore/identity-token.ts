import * as v from 'valibot'
import type { Abortable } from '../async/abortable.ts'
import { OciPublishError } from '../errors.ts'
import { parse, parseJson } from '../parse.ts'

/** What an identity token says, as far as signing is concerned (OpenID Connect Core 1.0, section 2). */
export interface Claims {
  readonly issuer: string
  readonly subject: string
  readonly audience: readonly string[]
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** Only of one who has proved it. */
  readonly email: string | undefined
  /** Of GitHub: `public`, `private`, `internal`. */
  readonly repositoryVisibility: string | undefined
  /** Of GitHub: the workflow with its ref, a reusable one where one is used; who runs it, by name and by number. */
  readonly jobWorkflowRef: string | undefined
  readonly repository: string | undefined
  readonly repositoryId: string | undefined
}

/** A token, and what is in it. Nobody but Fulcio checks its signature. */
export interface IdentityToken {
  readonly token: string
  readonly claims: Claims
}

export interface IdentityTokenDeps {
  readonly env: NodeJS.ProcessEnv
  /** Asks GitHub for a token for an audience; it fails with NO_ID_TOKEN where there is none. */
  readonly githubIdToken: (audience: string, io: Abortable) => Promise<string>
  /** Told the token before it is used. */
  readonly onSecret: (secret: string) => void
  /** Milliseconds since 1970. Default: now. */
  readonly now?: () => number
}

/** What Fulcio asks tokens to be for. */
const AUDIENCE = 'sigstore'
const VARIABLE = 'SIGSTORE_ID_TOKEN'

/**
 * Who signs without a key: the token in SIGSTORE_ID_TOKEN, else GitHub's for this job.
 *
 * @throws {OciPublishError} NO_ID_TOKEN when there is none; INVALID_ID_TOKEN for one that Fulcio would refuse
 */
export async function identityToken(
  { env, githubIdToken, onSecret, now = Date.now }: IdentityTokenDeps,
  io: Abortable = {},
): Promise<IdentityToken> {
  const given = env[VARIABLE]?.trim() ?? ''
  if (given !== '') {
    onSecret(given)
    return readIdentityToken(given, VARIABLE, now())
  }
  try {
    return readIdentityToken(await githubIdToken(AUDIENCE, io), 'ID token of GitHub', now())
  } catch (error) {
    if (!(error instanceof OciPublishError) || error.code !== 'NO_ID_TOKEN') throw error
    const message = `keyless signing needs an identity token: ${VARIABLE} is not set, and ${error.message}`
    throw new OciPublishError('NO_ID_TOKEN', message, { cause: error, hint: NO_TOKEN_HINT })
  }
}

/** YAML on one line, as messages are. */
const NO_TOKEN_HINT = `give the job "permissions: { id-token: write, contents: read }", with what else it needs. Pull requests from forks get no token, whatever the workflow says: sign when the change is merged. Elsewhere than at GitHub set ${VARIABLE}`

const text = v.string('is not text')
const number = v.number('is not a number')
const schema = v.object(
  {
    iss: text,
    sub: v.pipe(text, v.nonEmpty('is empty')),
    aud: v.union([text, v.array(text)], 'is neither text nor a list of it'),
    exp: number,
    nbf: v.optional(number),
    email: v.optional(text),
    email_verified: v.optional(v.union([v.boolean(), text], 'is not true or false')),
    repository_visibility: v.optional(text),
    job_workflow_ref: v.optional(text),
    repository: v.optional(text),
    repository_id: v.optional(v.union([text, number], 'is neither text nor a number')),
  },
  'is not an object',
)

/**
 * Reads the claims of a JWT, and refuses one that Fulcio would refuse.
 *
 * @param where names it in messages
 * @param nowMs milliseconds since 1970
 * @throws {OciPublishError} INVALID_ID_TOKEN
 */
export function readIdentityToken(token: string, where: string, nowMs: number): IdentityToken {
  const claims = claimsOf(token, where)
  const { audience, expiresAt } = claims
  if (expiresAt <= nowMs) {
    const hint = 'such tokens live for minutes: get it right before it is used'
    throw invalid(`${where}: has expired at ${new Date(expiresAt).toISOString()}`, { hint })
  }
  if (!audience.includes(AUDIENCE)) {
    const hint = `ask for it with the audience "${AUDIENCE}"; at GitLab that is "id_tokens: { ${VARIABLE}: { aud: ${AUDIENCE} } }"`
    throw invalid(`${where}: is for "${audience.join('", "')}", and certificates are given for "${AUDIENCE}"`, { hint })
  }
  return { token, claims }
}

function claimsOf(token: string, where: string): Claims {
  const [, body, signature, ...more] = token.split('.')
  if (body === undefined || signature === undefined || more.length > 0) {
    throw invalid(`${where}: is not a JWT, which is three parts with dots between them`)
  }
  try {
    const read = parse(schema, parseJson(Buffer.from(body, 'base64url'), where), where)
    return {
      issuer: read.iss,
      subject: read.sub,
      audience: [read.aud].flat(),
      expiresAt: read.exp * 1000,
      email: String(read.email_verified) === 'true' ? read.email : undefined,
      repositoryVisibility: read.repository_visibility,
      jobWorkflowRef: read.job_workflow_ref,
      repository: read.repository,
      repositoryId: read.repository_id === undefined ? undefined : String(read.repository_id),
    }
  } catch (error) {
    // What was read may be part of the message, and is not to be shown.
    if (error instanceof OciPublishError) throw invalid(`${where}: its claims cannot be read`, { cause: error })
    throw error
  }
}

/** What proves that the key is held by whom the token names: its signature over this. */
export function provenSubject({ email, subject }: Claims): string {
  return email ?? subject
}

function invalid(message: string, options: ErrorOptions & { readonly hint?: string } = {}): OciPublishError {
  return new OciPublishError('INVALID_ID_TOKEN', message, options)
}
