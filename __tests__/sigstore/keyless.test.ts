import { readIdentityToken, type IdentityToken } from '../../src/sigstore/identity-token.ts'
import { keylessIdentity, type Keyless } from '../../src/sigstore/keyless.ts'
import { verifySignature } from '../../src/sign/key-signer.ts'
import { json } from '../support/sigstore/service.ts'
import { startSigstore, type LocalSigstore } from '../support/sigstore/start-sigstore.ts'
import { WORKFLOW } from '../support/sigstore/tokens.ts'
import { client, failureOf, type Client } from './client.ts'

const START = Date.now()
let nowMs = START
let tokens = 0
let sigstore: LocalSigstore
let http: Client

beforeEach(async () => {
  nowMs = START
  tokens = 0
  sigstore = await startSigstore({ now: () => new Date(nowMs) })
  http = client()
})

afterEach(async () => {
  await http[Symbol.asyncDispose]()
  await sigstore.close()
})

const token = (): Promise<IdentityToken> => {
  tokens += 1
  return Promise.resolve(readIdentityToken(sigstore.token(), 'a token', nowMs))
}

const open = (): Promise<Keyless> =>
  keylessIdentity({ transport: http.transport, fulcioUrl: sigstore.fulcioUrl, token, now: () => nowMs })

const asked = (): number => sigstore.requests.filter(({ service }) => service === 'fulcio').length

test('a run asks for one certificate, however many signatures it makes at once', async () => {
  const keyless = await open()
  expect(asked()).toBe(0)
  expect(keyless.claims.subject).toContain('acme/app')
  const identities = await Promise.all(Array.from({ length: 30 }, () => keyless.identity()))
  expect(new Set(identities).size).toBe(1)
  expect([asked(), tokens]).toEqual([1, 1])
})

test('what the key signs verifies with the certificate', async () => {
  const { signer, by } = await (await open()).identity()
  const bytes = Buffer.from('signed')
  if (!by.certificate) throw new Error('there is no certificate')
  expect(verifySignature(by.certificate.publicKey, bytes, await signer.sign(bytes))).toBe(true)
})

test('a certificate with less than a minute left is renewed, once, with a new token and another key', async () => {
  const keyless = await open()
  const first = await keyless.identity()
  nowMs += 8 * 60_000
  expect(await keyless.identity()).toBe(first)
  nowMs += 61_000
  const [second, third] = await Promise.all([keyless.identity(), keyless.identity()])
  expect(second).toBe(third)
  expect(second.signer.publicKey.equals(first.signer.publicKey)).toBe(false)
  expect([asked(), tokens]).toEqual([2, 2])
})

test('a signature with a certificate that has expired is not made', async () => {
  const { signer, by } = await (await open()).identity()
  nowMs += 10 * 60_000
  const expiry = new Date(Date.parse(by.certificate?.validTo ?? '')).toISOString()
  expect(await failureOf(signer.sign(Buffer.from('late')))).toMatchObject({
    code: 'CERTIFICATE_EXPIRED',
    message: `the certificate for URI:https://github.com/${WORKFLOW} has expired at ${expiry}, before it signed`,
    hint: 'run it again; certificates are good for ten minutes, so see that the clock of this machine is right',
  })
})

test('a refusal is not remembered: the next signature asks again', async () => {
  const keyless = await open()
  sigstore.fail('fulcio', json(400, { message: 'no' }))
  await expect(keyless.identity()).rejects.toThrow('could not get a certificate: 400 no')
  await expect(keyless.identity()).resolves.toBeDefined()
})
