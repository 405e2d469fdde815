import { generateKeyPairSync, sign, verify, type KeyPairKeyObjectResult } from 'node:crypto'

export type Claims = Readonly<Record<string, string | number | boolean>>

export const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com'

/** Who runs, when nothing else is said. */
export const WORKFLOW = 'acme/app/.github/workflows/release.yml@refs/heads/main'

/** Issues tokens as GitHub does, and knows its own. */
export interface Tokens {
  /** A JWT signed with RS256, since cosign takes one with ES256 for the name of a file; claims replace those of a run of acme/app on main. */
  readonly issue: (claims?: Claims) => string
  /** The claims of a token of ours for `sigstore` that has not expired. @throws {Error} why it is none */
  readonly check: (token: string) => Claims
}

export function tokensAt(now: () => Date): Tokens {
  let made: KeyPairKeyObjectResult | undefined // which takes a moment, and not all need one
  const keys = (): KeyPairKeyObjectResult => (made ??= generateKeyPairSync('rsa', { modulusLength: 2048 }))
  return {
    issue: (claims = {}) => {
      const seconds = Math.floor(now().getTime() / 1000)
      const all = { ...githubClaims(seconds), ...claims }
      const signed = [{ alg: 'RS256', typ: 'JWT', kid: 'local' }, all]
        .map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.')
      const signature = sign('sha256', Buffer.from(signed), keys().privateKey)
      return `${signed}.${signature.toString('base64url')}`
    },
    check: token => {
      const [head = '', body = '', signature = ''] = token.split('.')
      const bytes = Buffer.from(signature, 'base64url')
      const own = verify('sha256', Buffer.from(`${head}.${body}`), keys().publicKey, bytes)
      if (!own) throw new Error('failed to verify signature')
      const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims
      if (claims['aud'] !== 'sigstore') throw new Error(`expected audience "sigstore" got "${String(claims['aud'])}"`)
      if (Number(claims['exp']) * 1000 < now().getTime()) throw new Error('token is expired')
      return claims
    },
  }
}

function githubClaims(seconds: number): Claims {
  return {
    iss: GITHUB_ISSUER,
    aud: 'sigstore',
    sub: 'repo:acme/app:ref:refs/heads/main',
    iat: seconds,
    nbf: seconds - 5,
    exp: seconds + 300,
    actor: 'octocat',
    event_name: 'push',
    job_workflow_ref: WORKFLOW,
    job_workflow_sha: '0123456789012345678901234567890123456789',
    ref: 'refs/heads/main',
    repository: 'acme/app',
    repository_id: '101',
    repository_owner: 'acme',
    repository_owner_id: '100',
    repository_visibility: 'public',
    run_attempt: '1',
    run_id: '4242',
    runner_environment: 'github-hosted',
    sha: '0123456789012345678901234567890123456789',
    workflow: 'release',
    workflow_ref: WORKFLOW,
    workflow_sha: '0123456789012345678901234567890123456789',
  }
}
