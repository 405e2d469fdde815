import fc from 'fast-check'
import { IN_TOTO } from '../../src/sign/envelope.ts'
import { parseEnvelope, serializeEnvelope } from '../../src/sign/envelope-json.ts'
import { refusal } from './refusal.ts'

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const ONE = { payload: 'cA==', payloadType: IN_TOTO, signatures: [{ sig: 'cw==' }] }

test('whatever is in an envelope, it is read as it was written', () => {
  const bytes = fc.uint8Array().map(one => Buffer.from(one))
  const envelope = fc.record({ payloadType: fc.string(), payload: bytes, signature: bytes })
  fc.assert(
    fc.property(envelope, one => {
      expect(parseEnvelope(Buffer.from(serializeEnvelope(one)), 'x')).toEqual(one)
    }),
  )
})

test('logs keep the hash of it, so that it is always the same to the byte', () => {
  const envelope = { payloadType: IN_TOTO, payload: Buffer.from('p'), signature: Buffer.from('s') }
  expect(serializeEnvelope(envelope)).toBe(
    '{"payload":"cA==","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"cw=="}]}',
  )
})

test('what cosign writes besides does not matter', () => {
  expect(parseEnvelope(json({ ...ONE, signatures: [{ keyid: '', sig: 'cw==' }] }), 'x')).toEqual({
    payloadType: IN_TOTO,
    payload: Buffer.from('p'),
    signature: Buffer.from('s'),
  })
})

test.each([
  ['no JSON', Buffer.from('{'), 'x: not JSON'],
  ['no signature', json({ ...ONE, signatures: [] }), 'x: signatures has to be of one signature'],
  ['two signatures', json({ ...ONE, signatures: [{ sig: 'cw==' }, { sig: 'cw==' }] }), 'has to be of one signature'],
  ['a payload that is none', json({ ...ONE, payload: '!' }), 'x: payload is not base64'],
  ['a signature that is none', json({ ...ONE, signatures: [{ sig: 'a' }] }), 'sig is not base64'],
  ['no type', json({ ...ONE, payloadType: 1 }), 'x: payloadType is not text'],
])('an envelope with %s is refused', (_, bytes, because) => {
  expect(() => parseEnvelope(bytes, 'x')).toThrow(refusal('INVALID_DOCUMENT', because))
})
