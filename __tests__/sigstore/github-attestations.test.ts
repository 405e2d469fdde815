import { messageOf } from '../../src/errors.ts'
import { storeAttestation } from '../../src/sigstore/github-attestations.ts'
import { json } from '../support/sigstore/service.ts'
import { startSigstore, type LocalSigstore } from '../support/sigstore/start-sigstore.ts'
import { client, failureOf, type Client } from './client.ts'

const BUNDLE = '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope":{}}'

let sigstore: LocalSigstore
let http: Client

beforeEach(async () => {
  sigstore = await startSigstore({ tsa: false })
  http = client()
})

afterEach(async () => {
  await http[Symbol.asyncDispose]()
  await sigstore.close()
})

const store = (token = sigstore.github.token): ReturnType<typeof storeAttestation> => {
  const { apiUrl } = sigstore.github
  const what = { apiUrl, serverUrl: 'https://github.com', repository: 'acme/app', token, bundle: Buffer.from(BUNDLE) }
  return storeAttestation(what, http)
}

test('a bundle is stored as it is, and where people find it is told', async () => {
  expect(await store()).toEqual({ id: '1001', url: 'https://github.com/acme/app/attestations/1001' })
  const [request] = sigstore.requests
  expect(request?.path).toBe('/repos/acme/app/attestations')
  expect(request?.body.toString()).toBe(`{"bundle":${BUNDLE}}`)
  expect(sigstore.github.bundles).toEqual([JSON.parse(BUNDLE)])
})

const PERMISSION =
  'give the job "permissions: { attestations: write, id-token: write, contents: read }", with what else it needs'

test.each([
  [403, 'Resource not accessible by integration', PERMISSION],
  [404, 'Not Found', PERMISSION],
  [
    403,
    'Feature not available for user-owned private repositories. To enable this feature, please make this repository public.',
    'GitHub keeps attestations of private repositories for organisations with Enterprise Cloud only: leave out "github-attestation"; those in the registry are not touched by this',
  ],
  [422, 'Invalid Argument - duplicate subject in statement', undefined],
])('a refusal with %i %s says what to do', async (status, message, hint) => {
  sigstore.fail('github', json(status, { message, documentation_url: 'https://docs.github.com/rest' }))
  const failure = await failureOf(store())
  expect(failure).toMatchObject({ code: 'ATTESTATION_FAILED', status, detail: message, retriable: false, hint })
  expect(messageOf(failure)).toContain(`could not store the attestation with acme/app: ${status} ${message} (POST `)
})

test('a wrong token is said to be wrong, and not shown', async () => {
  const failure = await failureOf(store('ghs_wrong'))
  expect(failure).toMatchObject({
    status: 401,
    detail: 'Bad credentials',
    hint: 'the input "github-token" is not valid: ${{ github.token }} is the one of the job',
  })
  expect(JSON.stringify([messageOf(failure), failure])).not.toContain('ghs_wrong')
})

test('GitHub that has a bad moment is asked again', async () => {
  sigstore.fail('github', json(502, { message: 'Server Error' }), 'drop')
  expect(await store()).toMatchObject({ id: '1001' })
})

test('an answer without an id is none', async () => {
  sigstore.fail('github', json(201, {}))
  expect(await failureOf(store())).toMatchObject({
    code: 'ATTESTATION_FAILED',
    message: 'attestation of acme/app: the answer cannot be read',
  })
})
