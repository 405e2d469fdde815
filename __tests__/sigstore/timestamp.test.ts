import core from '@sigstore/core'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { messageOf } from '../../src/errors.ts'
import { readDer, oidOf } from '../../src/sign/der.ts'
import { der, positive } from '../../src/sigstore/der-encode.ts'
import { requestTimestamp, timestampQuery } from '../../src/sigstore/timestamp.ts'
import { json, type Reply } from '../support/sigstore/service.ts'
import { startSigstore, type LocalSigstore } from '../support/sigstore/start-sigstore.ts'
import { client, failureOf, type Client } from './client.ts'

const SIGNATURE = Buffer.from('a signature')

let sigstore: LocalSigstore
let http: Client

beforeEach(async () => {
  sigstore = await startSigstore()
  http = client()
})

afterEach(async () => {
  await http[Symbol.asyncDispose]()
  await sigstore.close()
})

const request = (signature: Uint8Array = SIGNATURE): Promise<Uint8Array> =>
  requestTimestamp(sigstore.tsaUrl ?? '', signature, http)

const reply = (body: Uint8Array): Reply => ({
  status: 200,
  headers: { 'content-type': 'application/timestamp-reply' },
  body,
})

/** A `TimeStampResp` that grants nothing. */
const refusal = (status: number, text: string): Uint8Array => {
  const words = der(0x30, der(0x0c, Buffer.from(text)))
  return der(0x30, der(0x30, der(0x02, Buffer.from([status])), words))
}

test('the response is kept whole, and is about the signature', async () => {
  const { RFC3161Timestamp } = core
  const timestamp = RFC3161Timestamp.parse(Buffer.from(await request()))
  expect(timestamp.status).toBe(0n)
  expect(() => {
    timestamp.tstInfo.verify(SIGNATURE)
  }).not.toThrow()
  expect(Math.abs(timestamp.signingTime.getTime() - Date.now())).toBeLessThan(60_000)
})

test('the certificate of the authority is asked for, without which other verifiers do not know it', async () => {
  await request()
  const [query] = sigstore.requests
  expect(query?.headers['content-type']).toBe('application/timestamp-query')
  const [version, imprint, nonce, certificates] = readDer(query?.body ?? Buffer.alloc(0), 'query').children
  expect(version?.content).toEqual(new Uint8Array([1]))
  const [algorithm, hash] = imprint?.children ?? []
  const [oid] = algorithm?.children ?? []
  expect(oid && oidOf(oid, 'query')).toBe('2.16.840.1.101.3.4.2.1')
  expect(Buffer.from(hash?.content ?? [])).toEqual(createHash('sha256').update(SIGNATURE).digest())
  expect(nonce?.tag).toBe(0x02)
  expect(certificates).toMatchObject({ tag: 0x01, content: new Uint8Array([0xff]) })
})

test('a query is strict DER whatever the nonce', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), bytes => {
      const query = readDer(timestampQuery(Buffer.alloc(32), positive(bytes)), 'query')
      const content = Buffer.from(query.children[2]?.content ?? [])
      const value = (one: Uint8Array): bigint => BigInt(`0x00${Buffer.from(one).toString('hex')}`)
      expect(value(content)).toBe(value(bytes))
      expect(content[0]).toBeLessThan(0x80) // or it would be negative
      const isShortest = content.byteLength === 1 || content[0] !== 0 || (content[1] ?? 0) >= 0x80
      expect(isShortest).toBe(true)
    }),
  )
})

test.each([0, 1, 127, 128, 255, 256, 65_536])('%i bytes get the length that a strict reader wants', length => {
  expect(readDer(der(0x04, Buffer.alloc(length)), 'value').content.byteLength).toBe(length)
})

test('what the authority says when it refuses is told', async () => {
  const { host } = new URL(sigstore.tsaUrl ?? '')
  sigstore.fail('tsa', reply(refusal(2, 'the hash is\nnot supported')))
  expect(await failureOf(request())).toMatchObject({
    code: 'TIMESTAMP_FAILED',
    message: `timestamp of ${host}: refused with status 2: the hash is not supported`,
  })
})

test('a timestamp for another signature, or for another question, is refused', async () => {
  const other = await request(Buffer.from('another signature'))
  sigstore.fail('tsa', reply(other))
  expect(messageOf(await failureOf(request()))).toContain('is for something else than the signature that was sent')
  const older = await request()
  sigstore.fail('tsa', reply(older))
  expect(messageOf(await failureOf(request()))).toContain('answers another question than the one that was asked')
})

test('an address without the path is found out', async () => {
  const { origin, host } = new URL(sigstore.tsaUrl ?? '')
  expect(await failureOf(requestTimestamp(origin, SIGNATURE, http))).toMatchObject({
    code: 'TIMESTAMP_FAILED',
    message: `${host}: could not get a timestamp: 404 Not Found (POST ${origin}/)`,
    hint: '"tsa-url" is the whole address, with its path',
  })
  sigstore.fail('tsa', { status: 200, body: '<html>Welcome</html>' })
  expect(await failureOf(request())).toMatchObject({
    message: `timestamp of ${host}: the answer cannot be read`,
    hint: 'is "tsa-url" the whole address, with its path?',
  })
})

test('a page of a proxy is not taken for the words of the authority', async () => {
  sigstore.fail('tsa', { status: 400, body: '<html>Blocked</html>' })
  expect(messageOf(await failureOf(request()))).toContain('400 a web page')
})

test('an authority that is down, or overloaded, is asked again', async () => {
  sigstore.fail('tsa', 'drop', json(502, {}))
  await expect(request()).resolves.toBeDefined()
  await sigstore.stop('tsa')
  expect(await failureOf(request())).toMatchObject({ code: 'TIMESTAMP_FAILED', status: 0 })
})
