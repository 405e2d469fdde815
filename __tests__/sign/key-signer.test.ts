import { createHash, verify } from 'node:crypto'
import fc from 'fast-check'
import { keyHint, keySigner, verifySignature } from '../../src/sign/key-signer.ts'
import { someKeys } from './some-keys.ts'

const KEYS = someKeys()

describe.each(KEYS)('with a key of kind $name', ({ name, privateKey, publicKey }) => {
  const signer = keySigner(privateKey)

  test('what is signed is what verifiers of bare keys check: SHA-256 whatever the curve, Ed25519 over the bytes', async () => {
    const bytes = Buffer.from('an image')
    const signature = await signer.sign(bytes)
    expect(signer.publicKey.equals(publicKey)).toBe(true)
    expect(verify(name === 'Ed25519' ? null : 'sha256', bytes, publicKey, signature)).toBe(true)
  })

  test('a signature is good for these bytes and for no others', async () => {
    const bytes = fc.uint8Array({ maxLength: 200 })
    await fc.assert(
      fc.asyncProperty(bytes, bytes, async (one, another) => {
        const signature = await signer.sign(one)
        expect(verifySignature(publicKey, one, signature)).toBe(true)
        expect(verifySignature(publicKey, another, signature)).toBe(Buffer.compare(one, another) === 0)
      }),
      { numRuns: 10 },
    )
  })

  test('what is no signature is false, and no error', async () => {
    const bytes = Buffer.from('an image')
    const signature = Buffer.from(await signer.sign(bytes))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), junk => {
        expect(verifySignature(publicKey, bytes, junk)).toBe(false)
      }),
      { numRuns: 50 },
    )
    expect(verifySignature(publicKey, bytes, signature.subarray(1))).toBe(false)
    expect(verifySignature(publicKey, bytes, Buffer.concat([signature, Buffer.of(0)]))).toBe(false)
  })

  test('a signature of another key is not believed', async () => {
    const bytes = Buffer.from('an image')
    const signature = await signer.sign(bytes)
    for (const other of KEYS) expect(verifySignature(other.publicKey, bytes, signature)).toBe(other.name === name)
  })

  test('the hint of a bundle is the hash of the key in DER', () => {
    const der = publicKey.export({ type: 'spki', format: 'der' })
    expect(keyHint(publicKey)).toBe(createHash('sha256').update(der).digest('base64'))
    expect(keyHint(signer.publicKey)).toBe(keyHint(publicKey))
  })

  test('nothing is signed after the run was stopped', async () => {
    const signal = AbortSignal.abort(new Error('stopped'))
    await expect(signer.sign(Buffer.from('x'), { signal })).rejects.toThrow('stopped')
  })
})
