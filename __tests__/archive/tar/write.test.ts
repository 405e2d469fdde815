import * as fc from 'fast-check'
import { readdirSync } from 'node:fs'
import { mkdir, mkdtemp, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readTar } from '../../../src/archive/tar/read.ts'
import { writeTar } from '../../../src/archive/tar/write.ts'
import type { TarItem } from '../../../src/archive/tar/write.ts'
import { collect, drain, failureOf, firstOf, madeUp, pieces } from '../bytes.ts'
import { anyBodiless, anyFile, directory, file } from './samples.ts'

const MIB = 1 << 20

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'write-tar-'))
})
afterAll(async () => {
  await rm(dir, { recursive: true })
})

async function onDisk(name: string, content: Uint8Array): Promise<TarItem> {
  const path = join(dir, name)
  await writeFile(path, content)
  return { entry: file(name, { size: content.byteLength }), body: { path } }
}

function inMemory(path: string, content: Uint8Array, pieceBytes?: number): TarItem {
  return { entry: file(path, { size: content.byteLength }), body: { open: () => pieces(content, pieceBytes) } }
}

const openFiles = (): number => readdirSync('/proc/self/fd').length

describe('writeTar()', () => {
  test('what goes in comes out: entries, attributes and bodies', async () => {
    const items = fc.array(
      fc.oneof(
        anyFile,
        anyBodiless.map(entry => ({ entry, content: new Uint8Array(0) })),
      ),
      {
        maxLength: 12,
      },
    )
    await fc.assert(
      fc.asyncProperty(items, fc.integer({ min: 1, max: 5_000 }), async (all, pieceBytes) => {
        const archive = await collect(
          writeTar(all.map(({ entry, content }) => ({ entry, body: { open: () => pieces(content, 300) } }))),
        )
        const read: unknown[] = []
        for await (const { entry, body } of readTar(pieces(archive, pieceBytes))) {
          read.push({ entry, content: Uint8Array.from(await collect(body)) })
        }
        expect(read).toEqual(all)
      }),
      { numRuns: 150 },
    )
  })

  test('a file on disk and the same bytes from a stream are the same archive, wherever its blocks end', async () => {
    const sizes = fc.oneof(
      fc.integer({ min: 0, max: 3_000 }),
      fc.constantFrom(511, 512, 513, MIB - 1024, MIB - 513, MIB - 512, MIB - 511, MIB - 1, MIB, MIB + 1, 2 * MIB + 7),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(sizes, { minLength: 1, maxLength: 5 }), async all => {
        const contents = all.map((bytes, at) => madeUp(bytes, at + 1))
        const disk = await collect(
          writeTar(await Promise.all(contents.map((content, at) => onDisk(`f${at}`, content)))),
        )
        const memory = await collect(writeTar(contents.map((content, at) => inMemory(`f${at}`, content, 70_000))))
        expect(disk.equals(memory)).toBe(true)
        const read: Buffer[] = []
        for await (const { body } of readTar(pieces(disk))) read.push(await collect(body))
        expect(Buffer.concat(read).equals(Buffer.concat(contents))).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  test('comes in blocks of 1 MiB, so that the compressor has nothing to cut or join', async () => {
    const lengths: number[] = []
    const items = [inMemory('a', madeUp(3 * MIB, 1)), { entry: directory('b') }, inMemory('c', madeUp(10, 1))]
    for await (const block of writeTar(items)) {
      lengths.push(block.byteLength)
    }
    expect(lengths).toEqual([MIB, MIB, MIB, 512 + 512 + 1024 + 1024])
  })

  test('ends with two records of zeros and nothing else, as the archives of Go do', async () => {
    expect((await collect(writeTar([]))).equals(Buffer.alloc(1024))).toBe(true)
    const archive = await collect(writeTar([inMemory('a', Buffer.from('x'))]))
    expect(archive.byteLength).toBe(512 + 512 + 1024)
    expect(archive.subarray(513).every(byte => byte === 0)).toBe(true)
  })

  test('hands out blocks that the reader may keep', async () => {
    const content = madeUp(4 * MIB, 2)
    const blocks: Uint8Array[] = []
    for await (const block of writeTar([await onDisk('kept', content)])) blocks.push(block)
    expect(
      Buffer.concat(blocks)
        .subarray(512, 512 + content.byteLength)
        .equals(content),
    ).toBe(true)
  })

  test('gives others a turn between blocks, though it reads synchronously', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    await drain(writeTar([await onDisk('large', madeUp(64 * MIB, 3))]))
    clearInterval(timer)
    expect(turns).toBeGreaterThan(0)
  })

  describe.each([
    ['small', 100],
    ['large', 2 * MIB],
    ['large and exactly a block', MIB - 512],
  ])('a %s file on disk', (_name, bytes) => {
    test('that shrank is not padded with what was never in it', async () => {
      const item = await onDisk('shrank', madeUp(bytes, 4))
      await truncate(join(dir, 'shrank'), bytes - 1)
      expect(await failureOf(writeTar([item]))).toMatchObject({
        code: 'FILE_CHANGED',
        message: `${dir}/shrank (shrank in the archive) was listed with ${bytes} bytes, but ${bytes - 1} were read`,
        hint: 'let nothing write to the files while they are packed, then run it again',
      })
    })

    test('that grew is not cut without a word', async () => {
      const item = await onDisk('grew', madeUp(bytes, 5))
      await truncate(join(dir, 'grew'), bytes + 1)
      expect(await failureOf(writeTar([item]))).toMatchObject({
        code: 'FILE_CHANGED',
        message: `${dir}/grew (grew in the archive) was listed with ${bytes} bytes, but more were read`,
      })
    })
  })

  test.each([
    ['less', 4, '3 were'],
    ['more', 2, 'more were'],
    ['nothing', 1, 'more were'],
  ])('a stream that gives another number of bytes than its entry says is told: %s', async (_name, size, told) => {
    const item = { entry: file('a', { size }), body: { open: () => pieces(Buffer.from('xyz'), 2) } }
    expect(await failureOf(writeTar([item]))).toMatchObject({
      code: 'FILE_CHANGED',
      message: `a was listed with ${size} bytes, but ${told} read`,
    })
  })

  test('a file with bytes but without a body is told', async () => {
    expect(await failureOf(writeTar([{ entry: file('a', { size: 1 }) }]))).toMatchObject({ code: 'FILE_CHANGED' })
  })

  test('a file that is gone, or no file any more, is told with its path and the cause', async () => {
    await mkdir(join(dir, 'sub'), { recursive: true })
    const gone = { entry: file('a', { size: 1 }), body: { path: join(dir, 'gone') } }
    const folder = { entry: file('a', { size: 1 }), body: { path: join(dir, 'sub') } }
    expect(await failureOf(writeTar([gone]))).toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringMatching(/gone cannot be read: .*ENOENT/) as string,
      cause: { code: 'ENOENT' },
    })
    expect(await failureOf(writeTar([folder]))).toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringMatching(/sub cannot be read: it is not a regular file/) as string,
    })
  })

  test('stops between blocks with the reason of its signal, as it is, and closes its file', async () => {
    const reason = new Error('the user said so')
    const controller = new AbortController()
    const item = await onDisk('aborted', madeUp(3 * MIB, 6))
    const before = openFiles()
    const written = writeTar([item], { signal: controller.signal })
    await written.next()
    controller.abort(reason)
    expect(await failureOf(written)).toBe(reason)
    expect(openFiles()).toBe(before)
    expect(await failureOf(writeTar([item], { signal: AbortSignal.abort(reason) }))).toBe(reason)
  })

  test('closes its file, and lets a stream go, when the reader stops early', async () => {
    const item = await onDisk('stopped', madeUp(3 * MIB, 7))
    const before = openFiles()
    await firstOf(writeTar([item]))
    expect(openFiles()).toBe(before)

    let released = false
    async function* body(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield await Promise.resolve(Buffer.alloc(MIB))
      } finally {
        released = true
      }
    }
    await firstOf(writeTar([{ entry: file('a', { size: 9 * MIB }), body: { open: () => body() } }]))
    expect(released).toBe(true)
  })

  test('gives nothing away when a symlink or another file has come in place of the one that was found', async () => {
    const item = await onDisk('target', Buffer.from('hello'))
    await symlink('target', join(dir, 'link'))
    const { dev, ino } = await stat(join(dir, 'target'))
    const link = { entry: item.entry, body: { path: join(dir, 'link'), found: { dev, ino } } }
    expect(await failureOf(writeTar([link]))).toMatchObject({ code: 'FILE_CHANGED' })
    const other = { entry: item.entry, body: { path: join(dir, 'target'), found: { dev, ino: ino + 1 } } }
    expect(await failureOf(writeTar([other]))).toMatchObject({ code: 'FILE_CHANGED' })
    const same = { entry: item.entry, body: { path: join(dir, 'target'), found: { dev, ino } } }
    expect((await collect(writeTar([same]))).toString('latin1', 512, 517)).toBe('hello')
  })

  test('passes the signal on to the bodies it opens', async () => {
    const { signal } = new AbortController()
    let passed: AbortSignal | undefined
    const body = {
      open(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<Uint8Array> {
        passed = options?.signal
        return pieces(Buffer.from('x'))
      },
    }
    await collect(writeTar([{ entry: file('a', { size: 1 }), body }], { signal }))
    expect(passed).toBe(signal)
  })
})
