import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { messageOf } from '../../src/errors.ts'
import { keySigner } from '../../src/sign/key-signer.ts'
import type { Signer } from '../../src/sign/signer.ts'
import { identityOf } from '../../src/sign/certificate.ts'
import { requestCertificate } from '../../src/sigstore/fulcio.ts'
import { readIdentityToken, type IdentityToken } from '../../src/sigstore/identity-token.ts'
import { json } from '../support/sigstore/service.ts'
import { startSigstore, type LocalSigstore } from '../support/sigstore/start-sigstore.ts'
import { GITHUB_ISSUER, WORKFLOW } from '../support/sigstore/tokens.ts'
import { client, failureOf, type Client } from './client.ts'

let sigstore: LocalSigstore
let http: Client
let signer: Signer

beforeEach(async () => {
  sigstore = await startSigstore()
  http = client()
  signer = keySigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
})

afterEach(async () => {
  await http[Symbol.asyncDispose]()
  await sigstore.close()
})

const tokenOf = (claims: Record<string, string | boolean> = {}): IdentityToken =>
  readIdentityToken(sigstore.token(claims), 'a token', Date.now())

const request = (token = tokenOf(), url = sigstore.fulcioUrl): ReturnType<typeof requestCertificate> =>
  requestCertificate({ url, token, signer }, http)

test('the certificate names the workflow, is for the key, and comes with its issuer', async () => {
  const { certificate, chain } = await request()
  expect(identityOf(certificate)).toMatchObject({ san: `https://github.com/${WORKFLOW}`, issuer: GITHUB_ISSUER })
  expect(certificate.publicKey.equals(signer.publicKey)).toBe(true)
  expect(chain.map(one => certificate.verify(one.publicKey))).toEqual([true])
})

test('an address proves its key over the address', async () => {
  const token = tokenOf({ iss: 'https://accounts.google.com', email: 'me@example.com', email_verified: true })
  await expect(request(token)).resolves.toBeDefined()
})

test('a Fulcio below a path is found, with or without a slash at the end', async () => {
  sigstore.fail('fulcio', json(404, {}), json(404, {}))
  await failureOf(request(tokenOf(), `${sigstore.fulcioUrl}/sub`))
  await failureOf(request(tokenOf(), `${sigstore.fulcioUrl}/sub/`))
  expect(sigstore.requests.map(one => one.path)).toEqual(['/sub/api/v2/signingCert', '/sub/api/v2/signingCert'])
})

test.each([
  ['201, as the older server says', 201, 'signedCertificateEmbeddedSct'],
  ['an SCT that is detached', 200, 'signedCertificateDetachedSct'],
])('%s is an answer as well', async (_, status, name) => {
  const { certificate, chain } = await request()
  const certificates = [certificate, ...chain].map(String)
  sigstore.fail('fulcio', json(status, { [name]: { chain: { certificates }, signedCertificateTimestamp: '' } }))
  expect((await request()).certificate.raw).toEqual(certificate.raw)
})

test('what Fulcio says of the token is told, with whose it is, but not the token', async () => {
  const other = await startSigstore()
  const token = readIdentityToken(other.token(), 'a token', Date.now())
  await other.close()
  expect(await failureOf(request(token))).toMatchObject({
    code: 'CERTIFICATE_FAILED',
    status: 401,
    retriable: false,
    message: `${new URL(sigstore.fulcioUrl).host}: could not get a certificate: 401 There was an error processing the identity token: failed to verify signature (POST ${sigstore.fulcioUrl}/api/v2/signingCert)`,
    hint: `the token is of ${GITHUB_ISSUER}, for "sigstore": this Fulcio has to know that issuer, and expect that audience`,
  })
  sigstore.fail('fulcio', json(400, { code: 3, message: `cannot read ${token.token}` }))
  expect(await failureOf(request(token))).toMatchObject({ detail: 'cannot read …' })
})

test('a token goes to no other address than the one that was named', async () => {
  await using other = await startSigstore()
  const location = `${other.fulcioUrl}/api/v2/signingCert`
  sigstore.fail('fulcio', json(307, {}, { location }))
  expect(await failureOf(request())).toMatchObject({
    code: 'CERTIFICATE_FAILED',
    status: 307,
    hint: `it sends elsewhere, to ${location}: if that is right, name that address`,
  })
  expect(other.requests).toEqual([])
})

test('an overloaded Fulcio is asked again, and a certificate comes', async () => {
  sigstore.fail('fulcio', json(503, { message: 'overloaded' }), 'drop', json(429, { message: 'slow down' }))
  await expect(request()).resolves.toBeDefined()
  expect(sigstore.requests).toHaveLength(4)
})

test('a Fulcio that stays overloaded ends with its words, and that later may help', async () => {
  sigstore.fail('fulcio', ...Array.from({ length: 6 }, () => json(503, { message: 'overloaded' })))
  const error = await failureOf(request())
  expect(messageOf(error)).toMatch(/could not get a certificate: 503 overloaded \(POST .*, 6 attempts\)$/)
  expect(error).toMatchObject({
    code: 'CERTIFICATE_FAILED',
    status: 503,
    retriable: true,
    hint: 'run it again later: what is published already is not sent again',
  })
})

test('a Fulcio that is down is named', async () => {
  await sigstore.stop('fulcio')
  const error = await failureOf(request())
  const { host } = new URL(sigstore.fulcioUrl)
  const reason = 'the connection was refused, nothing listens there (ECONNREFUSED)'
  expect(messageOf(error)).toContain(`${host}: could not get a certificate: ${reason}`)
  expect(error).toMatchObject({ code: 'CERTIFICATE_FAILED', host, status: 0 })
})

test('a Fulcio that does not answer is named', async () => {
  sigstore.fail('fulcio', ...Array.from({ length: 6 }, () => 'hang' as const))
  await using hasty = client(50)
  const error = await failureOf(requestCertificate({ url: sigstore.fulcioUrl, token: tokenOf(), signer }, hasty))
  expect(messageOf(error)).toContain('could not get a certificate: no answer for 0.05 s')
  expect(error).toMatchObject({ code: 'CERTIFICATE_FAILED', status: 0 })
})

test.each([
  [
    'what is no certificate',
    { signedCertificateEmbeddedSct: { chain: { certificates: ['x'] } } },
    'the answer cannot be read',
  ],
  ['an empty answer', {}, 'the answer has no certificate'],
])('%s is refused with what to look at', async (_, answer, problem) => {
  sigstore.fail('fulcio', json(200, answer))
  const { host } = new URL(sigstore.fulcioUrl)
  expect(await failureOf(request())).toMatchObject({
    code: 'CERTIFICATE_FAILED',
    message: `certificate of ${host}: ${problem}`,
    hint: `is ${host} a Fulcio? Its address is the input "fulcio-url", or in "signing-config"`,
  })
})

test('a certificate for another key is never used', async () => {
  const { certificate } = await request()
  const other = keySigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
  const certificates = [new X509Certificate(certificate.raw).toString()]
  sigstore.fail('fulcio', json(200, { signedCertificateEmbeddedSct: { chain: { certificates } } }))
  const error = await failureOf(requestCertificate({ url: sigstore.fulcioUrl, token: tokenOf(), signer: other }, http))
  expect(messageOf(error)).toContain('is for another key than the one that was sent')
})

test('who stops is not kept waiting', async () => {
  sigstore.fail('fulcio', 'hang')
  const stop = new AbortController()
  const asked = requestCertificate(
    { url: sigstore.fulcioUrl, token: tokenOf(), signer },
    { ...http, signal: stop.signal },
  )
  stop.abort(new Error('stopped'))
  await expect(asked).rejects.toThrow('stopped')
})
