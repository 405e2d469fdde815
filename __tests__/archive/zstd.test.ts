import * as fc from 'fast-check'
import { decompress } from '../../src/archive/decompress.ts'
import { zstd } from '../../src/archive/zstd.ts'
import { collect, failureOf, madeUp, pieces } from './bytes.ts'

const MIB = 1 << 20

describe('zstd()', () => {
  test('makes the same bytes of the same content, in any pieces and on any number of threads', async () => {
    const sizes = fc.oneof(fc.integer({ min: 0, max: 9 * MIB }), fc.constantFrom(4 * MIB - 1, 4 * MIB, 4 * MIB + 1))
    await fc.assert(
      fc.asyncProperty(
        ...[sizes, fc.integer(), fc.constantFrom(2, 256)],
        ...[fc.integer({ min: 30_000, max: 9 * MIB }), fc.integer({ min: 1, max: 8 })],
        async (bytes, seed, alphabet, pieceBytes, threads) => {
          const content = madeUp(bytes, seed, { alphabet })
          const whole = await collect(zstd([content], { threads: 1 }))
          expect((await collect(zstd(pieces(content, pieceBytes), { threads }))).equals(whole)).toBe(true)
          expect((await collect(decompress(pieces(whole, pieceBytes)))).equals(content)).toBe(true)
        },
      ),
      { numRuns: 6 },
    )
  })

  test('makes a frame even of nothing, since no bytes at all are not zstd', async () => {
    const archive = await collect(zstd([]))
    expect(archive.readUInt32LE(0)).toBe(0xfd2fb528)
    expect((await collect(decompress(pieces(archive)))).byteLength).toBe(0)
  })

  test('stops with the reason of its signal, as it is', async () => {
    const reason = new Error('the user said so')
    expect(await failureOf(zstd([madeUp(10, 1)], { signal: AbortSignal.abort(reason) }))).toBe(reason)
  })
})
