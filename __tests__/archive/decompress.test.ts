import * as fc from 'fast-check'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { compressionOf, decompress } from '../../src/archive/decompress.ts'
import { InflationBudget } from '../../src/archive/inflation.ts'
import { OciPublishError } from '../../src/errors.ts'
import { collect, drain, failureOf, firstOf, madeUp, pieces, watched } from './bytes.ts'

const TEXT = Buffer.from('a tale of two members')
const [first, second] = [TEXT.subarray(0, 9), TEXT.subarray(9)]
/** RFC 8878, 3.1.2: content of no meaning between or after the frames. */
const SKIPPABLE = Buffer.concat([Buffer.from('502a4d18', 'hex'), Buffer.of(3, 0, 0, 0), Buffer.from('toc')])

const STREAMS: readonly (readonly [name: string, stream: Buffer, content: Buffer])[] = [
  ['gzip', gzipSync(TEXT), TEXT],
  ['gzip of two members', Buffer.concat([gzipSync(first), gzipSync(second)]), TEXT],
  ['gzip padded with zeros', Buffer.concat([gzipSync(TEXT), Buffer.alloc(700)]), TEXT],
  ['zstd', zstdCompressSync(TEXT), TEXT],
  ['zstd of two frames', Buffer.concat([zstdCompressSync(first), zstdCompressSync(second)]), TEXT],
  [
    'zstd with skippable frames',
    Buffer.concat([SKIPPABLE, zstdCompressSync(first), SKIPPABLE, zstdCompressSync(second), SKIPPABLE]),
    TEXT,
  ],
  ['zstd of many blocks', zstdCompressSync(madeUp(500_000, 1)), madeUp(500_000, 1)],
  ['zstd of one byte repeated', zstdCompressSync(Buffer.alloc(300_000, 7)), Buffer.alloc(300_000, 7)],
  ['what is not compressed', TEXT, TEXT],
  ['less than a magic number', Buffer.from('ab'), Buffer.from('ab')],
  ['nothing', Buffer.alloc(0), Buffer.alloc(0)],
]

describe('compressionOf()', () => {
  test.each([
    ['gzip', gzipSync(TEXT)],
    ['zstd', zstdCompressSync(TEXT)],
    ['zstd', SKIPPABLE],
    ['none', TEXT],
    ['none', Buffer.of(0x1f)],
    ['none', Buffer.alloc(0)],
  ])('tells %s by the first bytes', (compression, stream) => {
    expect(compressionOf(stream.subarray(0, 4))).toBe(compression)
  })
})

describe('decompress()', () => {
  test.each(STREAMS)('reads all of %s, in any pieces', async (_name, stream, content) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: Math.ceil(stream.byteLength / 200), max: stream.byteLength + 1 }),
        async size => {
          const read = await collect(decompress(pieces(stream, Math.max(1, size))))
          expect(read.equals(content)).toBe(true)
        },
      ),
      { numRuns: 20 },
    )
  })

  test.each([
    ['gzip', gzipSync(madeUp(5_000, 1)), []],
    ['gzip of two members', Buffer.concat([gzipSync(first), gzipSync(second)]), [gzipSync(first).byteLength]],
    ['zstd', zstdCompressSync(madeUp(500_000, 1)), []],
    [
      'zstd of two frames',
      Buffer.concat([zstdCompressSync(first), zstdCompressSync(second)]),
      [zstdCompressSync(first).byteLength],
    ],
  ])('never takes a cut %s for a whole one', async (_name, stream, unseen: readonly number[]) => {
    // A cut between two members cannot be seen here; the digest tells it.
    const ends = fc.integer({ min: 4, max: stream.byteLength - 1 }).filter(end => !unseen.includes(end))
    await fc.assert(
      fc.asyncProperty(ends, async end => {
        const cut = decompress(pieces(stream.subarray(0, end)), { from: 'layer 1' })
        expect(await failureOf(cut)).toMatchObject({
          code: 'INVALID_ARCHIVE',
          message: expect.stringMatching(/^layer 1: /) as string,
        })
      }),
      { numRuns: 40 },
    )
  })

  test.each([
    ['gzip', gzipSync(madeUp(5_000, 1, { alphabet: 9 })), 'Z_DATA_ERROR'],
    ['zstd', zstdCompressSync(madeUp(5_000, 1, { alphabet: 9 })), 'ZSTD_error_corruption_detected'],
  ])('says that %s is broken, where it comes from, and keeps the cause', async (_name, stream, code) => {
    stream.fill(0xff, 12, 60)
    const error = await failureOf(decompress(pieces(stream), { from: 'layer 1' }))
    expect(error).toBeInstanceOf(OciPublishError)
    expect(error).toMatchObject({ code: 'INVALID_ARCHIVE', cause: { code } })
    expect((error as Error).message).toMatch(/^layer 1: cannot be decompressed \(.+\)$/)
  })

  test('says where zstd turns into something else', async () => {
    const frame = zstdCompressSync(TEXT)
    const error = await failureOf(decompress(pieces(Buffer.concat([frame, TEXT])), { from: 'layer 1' }))
    expect((error as Error).message).toBe(`layer 1: no zstd frame at byte ${frame.byteLength}`)
  })

  test.each([
    ['gzip', gzipSync(madeUp(3_000_000, 1))],
    ['zstd', zstdCompressSync(madeUp(3_000_000, 1))],
    ['nothing', madeUp(3_000_000, 1)],
  ])('lets a source of %s go when the reader stops early', async (_name, stream) => {
    const source = watched(stream, 10_000)
    await firstOf(decompress(source))
    expect(source.released()).toBe(true)
  })

  test.each([
    ['gzip', gzipSync(madeUp(300_000, 1))],
    ['zstd', zstdCompressSync(madeUp(300_000, 1))],
    ['nothing', madeUp(300_000, 1)],
  ])('passes on as it is what a source of %s throws', async (_name, stream) => {
    const broken = new Error('connection lost')
    async function* source(): AsyncGenerator<Uint8Array> {
      yield* pieces(stream.subarray(0, 200_000), 50_000)
      throw broken
    }
    expect(await failureOf(decompress(source()))).toBe(broken)
  })

  test('stops with the reason of its signal, as it is', async () => {
    const reason = new Error('the user said so')
    const stopped = decompress(pieces(gzipSync(TEXT)), { signal: AbortSignal.abort(reason) })
    expect(await failureOf(stopped)).toBe(reason)
  })
})

describe('a decompression bomb', () => {
  const bomb = gzipSync(Buffer.alloc(3 << 20))

  test('is stopped before it fills memory or disk, and says how far it went', async () => {
    const inflation = new InflationBudget({ freeBytes: 1 << 20, ratio: 100 })
    const error = await failureOf(decompress(pieces(bomb, 512), { from: 'layer 1', inflation }))
    expect(error).toMatchObject({ code: 'TOO_LARGE', hint: expect.stringContaining('bomb') as string })
    expect((error as Error).message).toMatch(/^layer 1: more than [\d,]+ bytes when decompressed, from [\d,]+$/)
  })

  test('is stopped in zstd, whose ratio has no end', async () => {
    const inflation = new InflationBudget({ freeBytes: 1 << 20, ratio: 100 })
    const frames = zstdCompressSync(Buffer.alloc(30 << 20))
    expect(await failureOf(decompress(pieces(frames), { inflation }))).toMatchObject({ code: 'TOO_LARGE' })
  })

  test('is stopped when it comes in many layers', async () => {
    const inflation = new InflationBudget({ freeBytes: 4 << 20, ratio: 0 })
    await drain(decompress(pieces(bomb), { inflation }))
    expect(await failureOf(decompress(pieces(bomb), { inflation }))).toMatchObject({ code: 'TOO_LARGE' })
  })

  test('is none where an archive grows as archives do', async () => {
    const inflation = new InflationBudget({ freeBytes: 0, ratio: 100 })
    const content = madeUp(4 << 20, 1, { alphabet: 4 })
    expect((await collect(decompress(pieces(gzipSync(content), 4096), { inflation }))).equals(content)).toBe(true)
  })
})
