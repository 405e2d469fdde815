import { messageOf, OciPublishError } from '../../src/errors.ts'
import { identityToken, provenSubject, readIdentityToken, type Claims } from '../../src/sigstore/identity-token.ts'
import { GITHUB_ISSUER, tokensAt, WORKFLOW } from '../support/sigstore/tokens.ts'
import { failureOf } from './client.ts'

const NOW = Date.parse('2026-01-02T03:04:05Z')
const tokens = tokensAt(() => new Date(NOW))
const read = (claims: Record<string, string | number | boolean> = {}): Claims =>
  readIdentityToken(tokens.issue(claims), 'a token', NOW).claims

describe('reading a token', () => {
  test('the claims of a run at GitHub are known before anything is asked for', () => {
    expect(read()).toEqual({
      issuer: GITHUB_ISSUER,
      subject: 'repo:acme/app:ref:refs/heads/main',
      audience: ['sigstore'],
      expiresAt: NOW + 300_000,
      email: undefined,
      repositoryVisibility: 'public',
      jobWorkflowRef: WORKFLOW,
      repository: 'acme/app',
      repositoryId: '101',
    })
  })

  test.each([
    [
      'another audience',
      { aud: 'sts.amazonaws.com' },
      'a token: is for "sts.amazonaws.com", and certificates are given for "sigstore"',
    ],
    ['an end in the past', { exp: NOW / 1000 }, 'a token: has expired at 2026-01-02T03:04:05.000Z'],
    ['no subject', { sub: '' }, 'a token: its claims cannot be read'],
  ])('with %s it is refused before Fulcio is asked', async (_, claims, message) => {
    const error = await failureOf((async () => Promise.resolve(read(claims)))())
    expect(error).toMatchObject({ code: 'INVALID_ID_TOKEN', message })
  })

  test.each([['not-a-token'], ['a.b'], ['a.b.c.d'], ['e30.e30'], ['x.!!!.y'], ['x.bm90IGpzb24.y']])(
    'what is no token is refused, and not shown: %s',
    async text => {
      const error = await failureOf((async () => Promise.resolve(readIdentityToken(text, 'SIGSTORE_ID_TOKEN', NOW)))())
      expect(error).toMatchObject({ code: 'INVALID_ID_TOKEN' })
      expect(messageOf(error)).toMatch(/^SIGSTORE_ID_TOKEN: /)
      expect(messageOf(error)).not.toContain(text)
    },
  )
})

describe('whom the certificate is for', () => {
  test('the key is proved over the address where there is one, else over the subject', () => {
    expect(provenSubject(read({ email: 'me@example.com', email_verified: 'true' }))).toBe('me@example.com')
    expect(provenSubject(read({ email: 'me@example.com' }))).toBe('repo:acme/app:ref:refs/heads/main')
  })
})

describe('where the token comes from', () => {
  const none = (): Promise<string> =>
    Promise.reject(new OciPublishError('NO_ID_TOKEN', 'no ID token of GitHub: the job may not ask for one'))

  test('SIGSTORE_ID_TOKEN comes first, and is masked', async () => {
    const secrets: string[] = []
    const token = tokens.issue()
    const deps = { githubIdToken: none, onSecret: (one: string) => void secrets.push(one), now: () => NOW }
    const found = await identityToken({ ...deps, env: { SIGSTORE_ID_TOKEN: ` ${token}\n` } })
    expect(found.token).toBe(token)
    expect(secrets).toEqual([token])
  })

  test('else GitHub is asked, for sigstore', async () => {
    const githubIdToken = (aud: string): Promise<string> => Promise.resolve(tokens.issue({ aud }))
    const found = await identityToken({ env: {}, githubIdToken, onSecret: () => undefined, now: () => NOW })
    expect(found.claims.audience).toEqual(['sigstore'])
  })

  test('without one the lines to add are told, and that forks have none', async () => {
    const error = await failureOf(identityToken({ env: {}, githubIdToken: none, onSecret: () => undefined }))
    expect(error).toMatchObject({
      code: 'NO_ID_TOKEN',
      message:
        'keyless signing needs an identity token: SIGSTORE_ID_TOKEN is not set, and no ID token of GitHub: the job may not ask for one',
      hint: 'give the job "permissions: { id-token: write, contents: read }", with what else it needs. Pull requests from forks get no token, whatever the workflow says: sign when the change is merged. Elsewhere than at GitHub set SIGSTORE_ID_TOKEN',
    })
  })

  test('what GitHub says when it fails otherwise is told as it is', async () => {
    const broken = new Error('broken')
    const githubIdToken = (): Promise<string> => Promise.reject(broken)
    expect(await failureOf(identityToken({ env: {}, githubIdToken, onSecret: () => undefined }))).toBe(broken)
  })
})
