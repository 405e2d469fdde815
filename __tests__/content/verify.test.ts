import * as fc from 'fast-check'
import { readAll, verified } from '../../src/content/verify.ts'
import { digestOf } from '../../src/oci/digest.ts'

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
}

const describe1 = (bytes: Uint8Array): { mediaType: string; digest: ReturnType<typeof digestOf>; size: number } => ({
  mediaType: 'application/octet-stream',
  digest: digestOf(bytes),
  size: bytes.byteLength,
})

const read = (source: AsyncIterable<Uint8Array>): Promise<Uint8Array> => readAll(source, { maxBytes: 1e6, what: 'it' })

test('bytes that are what they should be pass unchanged, in whatever pieces they come', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), fc.integer({ min: 1, max: 50 }), async (bytes, size) => {
      const passed = await read(verified(chunks(bytes, size), describe1(bytes), 'it'))
      expect(Buffer.compare(passed, bytes)).toBe(0)
    }),
  )
})

test.each([
  ['a flipped bit', Buffer.from('abcdefgi')],
  ['missing bytes', Buffer.from('abcdefg')],
  ['more bytes', Buffer.from('abcdefghi')],
])('%s is never handed out as the end of a blob', async (_name, sent) => {
  const wanted = describe1(Buffer.from('abcdefgh'))
  const got: Uint8Array[] = []
  const reading = (async () => {
    for await (const chunk of verified(chunks(sent, 4), wanted, 'layer of app')) got.push(chunk)
  })()
  await expect(reading).rejects.toThrow(/layer of app: expected/)
  expect(Buffer.concat(got).byteLength).toBeLessThan(8)
})

test('a document that never ends is cut off at its limit', async () => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield await Promise.resolve(Buffer.alloc(1000))
  }
  await expect(readAll(endless(), { maxBytes: 5000, what: 'the token' })).rejects.toThrow(
    'the token has more than 5000 bytes',
  )
})
