import * as fc from 'fast-check'
import { crc32, gunzipSync } from 'node:zlib'
import { gzip } from '../../src/archive/gzip.ts'
import { collect, failureOf, madeUp, pieces, watched } from './bytes.ts'

const MIB = 1 << 20

describe('gzip()', () => {
  test('makes the same bytes of the same content, in any pieces and on any number of threads', async () => {
    const sizes = fc.oneof(fc.integer({ min: 0, max: 3 * MIB }), fc.constantFrom(MIB - 1, MIB, MIB + 1, 2 * MIB))
    await fc.assert(
      fc.asyncProperty(
        ...[sizes, fc.integer(), fc.constantFrom(2, 20, 256)],
        ...[fc.integer({ min: 30_000, max: 3 * MIB }), fc.integer({ min: 1, max: 8 })],
        async (bytes, seed, alphabet, pieceBytes, threads) => {
          const content = madeUp(bytes, seed, { alphabet })
          const whole = await collect(gzip([content], { threads: 1 }))
          const cut = await collect(gzip(pieces(content, pieceBytes), { threads }))
          expect(cut.equals(whole)).toBe(true)
          expect(gunzipSync(whole).equals(content)).toBe(true)
        },
      ),
      { numRuns: 12 },
    )
  })

  test('writes neither name nor time nor system into its header, and what gunzip checks at its end', async () => {
    const content = Buffer.from('hello')
    const archive = await collect(gzip([content]))
    expect(archive.subarray(0, 10)).toEqual(Buffer.from('1f8b08000000000000ff', 'hex'))
    expect(archive.readUInt32LE(archive.byteLength - 8)).toBe(crc32(content))
    expect(archive.readUInt32LE(archive.byteLength - 4)).toBe(5)
  })

  test('keeps the bytes of a release for good, or reused layers would change their digests', async () => {
    const archive = await collect(gzip([Buffer.from('to be or not to be, that is the question')]))
    expect(archive.toString('hex')).toMatchInlineSnapshot(
      `"1f8b08000000000000ff2ac957484a55c82f52c8cb2f5128017174144a32124b14328b154a3252150a4b538b4b32f3f300000000ffff0300454ae21c28000000"`,
    )
  })

  test('makes an empty archive of nothing', async () => {
    expect(gunzipSync(await collect(gzip([]))).byteLength).toBe(0)
    expect(gunzipSync(await collect(gzip([new Uint8Array(0)]))).byteLength).toBe(0)
  })

  test('finds repetitions across its blocks, so that cutting costs nothing', async () => {
    const once = madeUp(20_000, 1)
    const twice = Buffer.concat([madeUp(MIB - 20_000, 2), once, once])
    const archive = await collect(gzip([twice]))
    expect(archive.byteLength).toBeLessThan(MIB + 10_000)
  })

  test('makes smaller archives at higher levels', async () => {
    const content = Buffer.from(madeUp(300_000, 3, { alphabet: 12 }))
    const sizes = await Promise.all([1, 6].map(async level => (await collect(gzip([content], { level }))).byteLength))
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a))
  })

  test('reads only a few blocks ahead, whatever the size of the source', async () => {
    let read = 0
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        read++
        yield await Promise.resolve(Buffer.alloc(MIB))
      }
    }
    const parts = gzip(endless(), { threads: 2 })
    for (let part = 0; part < 10; part++) await parts.next()
    expect(read).toBeLessThan(16)
    await parts.return()
  })

  test('stops with the reason of its signal, as it is, and lets the source go', async () => {
    const controller = new AbortController()
    const reason = new Error('the user said so')
    const source = watched(madeUp(4 * MIB, 5), MIB)
    async function* abortingSource(): AsyncGenerator<Uint8Array> {
      for await (const chunk of source) {
        yield chunk
        controller.abort(reason)
      }
    }
    expect(await failureOf(gzip(abortingSource(), { signal: controller.signal }))).toBe(reason)
    expect(source.released()).toBe(true)
  })

  test('lets the source go when the reader stops early', async () => {
    const source = watched(madeUp(3 * MIB, 6), MIB)
    for await (const part of gzip(source, { threads: 1 })) if (part.byteLength > 10) break
    expect(source.released()).toBe(true)
  })

  test('passes on what the source throws', async () => {
    const broken = new Error('disk on fire')
    async function* source(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(madeUp(3 * MIB, 7))
      throw broken
    }
    expect(await failureOf(gzip(source()))).toBe(broken)
  })
})
