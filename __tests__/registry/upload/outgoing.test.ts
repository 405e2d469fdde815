import fc from 'fast-check'
import type { Blob } from '../../../src/content/blob.ts'
import { digestOf } from '../../../src/oci/digest.ts'
import { Outgoing } from '../../../src/registry/upload/outgoing.ts'

const bytes = new Uint8Array(1_000).map((_, i) => i % 251)

/** In chunks of 64 bytes; remembers from where it was opened, and whether it was left. */
function source(content = bytes): Blob & { opened: number[]; left: number } {
  const blob = {
    descriptor: { mediaType: 'application/x', digest: digestOf(bytes), size: bytes.byteLength },
    opened: [] as number[],
    left: 0,
    async *open({ offset = 0 } = {}): AsyncGenerator<Uint8Array> {
      blob.opened.push(offset)
      try {
        for (let at = offset; at < content.byteLength; at += 64) {
          await Promise.resolve()
          yield content.subarray(at, at + 64)
        }
      } finally {
        blob.left++
      }
    },
  }
  return blob
}

async function read(outgoing: Outgoing, from: number, size: number, most = Infinity): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of outgoing.body(from, size).open()) {
    chunks.push(chunk)
    if (Buffer.concat(chunks).byteLength >= most) break
  }
  return Buffer.concat(chunks)
}

const left = async (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('pieces that follow each other read the source once, which may be a download', async () => {
  const blob = source()
  const outgoing = new Outgoing(blob, {})
  for (let at = 0; at < 1_000; at += 100) {
    expect(await read(outgoing, at, 100)).toEqual(Buffer.from(bytes.subarray(at, at + 100)))
  }
  expect(blob.opened).toEqual([0])
  expect(blob.left).toBe(1)
  expect(outgoing.total).toBe(1_000)
})

test('a piece that has to be sent again is read from where it begins', async () => {
  const blob = source()
  const deltas: number[] = []
  const outgoing = new Outgoing(blob, { onBytes: delta => deltas.push(delta) })
  await read(outgoing, 0, 100)
  await read(outgoing, 100, 100, 50)
  expect(await read(outgoing, 100, 100)).toEqual(Buffer.from(bytes.subarray(100, 200)))
  expect(blob.opened).toEqual([0, 100])
  expect(deltas.reduce((sum, delta) => sum + delta, 0)).toBe(200)
  outgoing.close()
  await left()
  expect(blob.left).toBe(2)
})

test('any pieces, sent again as often as anything goes wrong, are the bytes of the blob', async () => {
  const piece = fc.record({ size: fc.integer({ min: 1, max: 400 }), cut: fc.option(fc.integer({ min: 1, max: 300 })) })
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 12 }), async pieces => {
      const deltas: number[] = []
      const outgoing = new Outgoing(source(), { onBytes: delta => deltas.push(delta) })
      const taken: Uint8Array[] = []
      let at = 0
      for (const { size, cut } of [...pieces, { size: 1_000, cut: null }]) {
        const wanted = Math.min(size, 1_000 - at)
        const got = await read(outgoing, at, wanted, cut ?? Infinity)
        if (got.byteLength < wanted) continue
        taken.push(got)
        at += wanted
        if (at === 1_000) break
      }
      outgoing.close()
      expect(Buffer.concat(taken)).toEqual(Buffer.from(bytes))
      expect(deltas.reduce((sum, delta) => sum + delta, 0)).toBeLessThanOrEqual(1_000)
    }),
  )
})

test.each([
  ['fewer', bytes.subarray(0, 999), /expected 1000 bytes, got 999/],
  ['more', new Uint8Array(1_001), /expected 1000 bytes, got more/],
])('a source with %s bytes than it should have is an error of ours', async (_name, content, message) => {
  await expect(read(new Outgoing(source(content), {}), 0, 1_000)).rejects.toThrow(message)
})

test('once the registry has complained, the digest is checked in pieces, too', async () => {
  const outgoing = new Outgoing(source(new Uint8Array(1_000)), {})
  outgoing.verify = true
  await read(outgoing, 0, 500)
  await expect(read(outgoing, 500, 500)).rejects.toMatchObject({ name: 'IntegrityError' })
})

test('a source that hangs is left when its request is over', async () => {
  let aborted = false
  const blob: Blob = {
    descriptor: { mediaType: 'application/x', digest: digestOf(bytes), size: 1_000 },
    async *open({ signal } = {}) {
      yield bytes.subarray(0, 10)
      await new Promise<void>(resolve => {
        signal?.addEventListener('abort', () => {
          aborted = true
          resolve()
        })
      })
      signal?.throwIfAborted()
    },
  }
  const request = new AbortController()
  const chunks = new Outgoing(blob, {}).body(0, 1_000).open({ signal: request.signal })[Symbol.asyncIterator]()
  await chunks.next()
  const hanging = chunks.next()
  request.abort()
  await expect(hanging).rejects.toThrow()
  expect(aborted).toBe(true)
})
