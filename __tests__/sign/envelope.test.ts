import { generateKeyPairSync } from 'node:crypto'
import * as fc from 'fast-check'
import { IN_TOTO, preAuthEncoding, signEnvelope } from '../../src/sign/envelope.ts'
import { keySigner, verifySignature } from '../../src/sign/key-signer.ts'

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

test('encodes the example of the specification', () => {
  const payload = Buffer.from('hello world')
  expect(textOf(preAuthEncoding({ payloadType: 'http://example.com/HelloWorld', payload }))).toBe(
    'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
  )
})

test('counts bytes, not characters', () => {
  expect(textOf(preAuthEncoding({ payloadType: 'ü', payload: Buffer.from('€') }))).toBe('DSSEv1 2 ü 3 €')
})

test('of two different things never the same bytes are signed', () => {
  const anything = fc.record({ payloadType: fc.string({ unit: 'binary' }), payload: fc.uint8Array() })
  fc.assert(
    fc.property(anything, one => {
      const bytes = Buffer.from(preAuthEncoding(one))
      const [, length = ''] = /^DSSEv1 (\d+) /.exec(bytes.toString('latin1')) ?? []
      const at = `DSSEv1 ${length} `.length
      const end = at + Number(length)
      const [head = '', size = ''] = /^ (\d+) /.exec(bytes.subarray(end).toString('latin1')) ?? []
      const payload = bytes.subarray(end + head.length)
      expect(bytes.subarray(at, end).toString()).toBe(one.payloadType)
      expect([payload.toString('hex'), Number(size)]).toEqual([
        Buffer.from(one.payload).toString('hex'),
        payload.length,
      ])
    }),
  )
})

test('a statement is signed with its type', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const envelope = await signEnvelope(Buffer.from('{}'), keySigner(privateKey))
  expect(envelope.payloadType).toBe(IN_TOTO)
  expect(verifySignature(publicKey, Buffer.from(`DSSEv1 28 ${IN_TOTO} 2 {}`), envelope.signature)).toBe(true)
})
