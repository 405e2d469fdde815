import { workflowIdentity } from '../../src/sigstore/workflow-identity.ts'

const CLAIMS = {
  issuer: 'https://token.actions.githubusercontent.com',
  jobWorkflowRef: 'acme/shared/.github/workflows/release.yml@refs/heads/main',
  repository: 'acme/app',
  repositoryId: '101',
}

test.each([
  [CLAIMS.issuer, 'https://github.com'],
  [`${CLAIMS.issuer}/acme`, 'https://github.com'],
  ['https://token.actions.acme.ghe.com', 'https://acme.ghe.com'],
])('who a job is whose tokens are of %s is known before there is a certificate', (issuer, server) => {
  expect(workflowIdentity({ ...CLAIMS, issuer })).toEqual({
    san: `${server}/acme/shared/.github/workflows/release.yml@refs/heads/main`,
    issuer,
    sourceRepositoryUri: `${server}/acme/app`,
    sourceRepositoryId: '101',
  })
})

test.each([
  ['an issuer that only looks like it', { issuer: 'https://token.actions.githubusercontent.com.evil.test' }],
  ['one below a subdomain', { issuer: 'https://token.actions.a.b.ghe.com' }],
  ['one without TLS', { issuer: 'http://token.actions.githubusercontent.com' }],
  ['another issuer', { issuer: 'https://gitlab.com' }],
  ['an issuer that is no address', { issuer: 'github' }],
  ['no workflow', { jobWorkflowRef: undefined }],
  ['no repository', { repository: undefined }],
  ['a repository without its number', { repositoryId: undefined }],
])('of %s nothing is guessed: earlier signatures then prove nothing', (_what, claims) => {
  expect(workflowIdentity({ ...CLAIMS, ...claims })).toBeUndefined()
})
