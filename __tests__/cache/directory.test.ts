import { mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { defaultCacheDirectory, directoryCache } from '../../src/cache/directory.ts'

let path: string
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'cache-'))
})
afterEach(() => rm(path, { recursive: true, force: true }))

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

async function onlyFile(): Promise<string> {
  const [name = ''] = await readdir(path)
  return join(path, name)
}

describe('directoryCache()', () => {
  test('what was kept comes back, whatever key and bytes are', async () => {
    const cache = directoryCache(path)
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.uint8Array(), async (key, value) => {
        await cache.write(key, value)
        expect(Buffer.from((await directoryCache(path).read(key)) ?? [])).toEqual(Buffer.from(value))
      }),
      { numRuns: 50 },
    )
  })

  test.each<[string, (file: Buffer) => Buffer]>([
    ['cut', file => file.subarray(0, file.byteLength - 1)],
    ['cut to nothing', () => Buffer.alloc(0)],
    ['cut in its digest', file => file.subarray(0, 20)],
    ['garbled', file => Buffer.concat([file.subarray(0, -1), Buffer.from('!')])],
    ['longer', file => Buffer.concat([file, Buffer.from('!')])],
    ['of somebody else', () => Buffer.from('hello')],
  ])('a file that is %s is not there, and is removed', async (_, change) => {
    const cache = directoryCache(path)
    await cache.write('key', bytes('value'))
    const file = await onlyFile()
    await writeFile(file, change(await readFile(file)))
    expect(await cache.read('key')).toBeUndefined()
    expect(await readdir(path)).toEqual([])
    await cache.write('key', bytes('value'))
    expect(await cache.read('key')).toEqual(Buffer.from('value'))
  })

  test('a key that was never written is not there', async () => {
    expect(await directoryCache(join(path, 'absent')).read('key')).toBeUndefined()
  })

  test('a folder that cannot be written costs nothing but time', async () => {
    await writeFile(join(path, 'file'), '')
    const cache = directoryCache(join(path, 'file'))
    await expect(cache.write('key', bytes('value'))).resolves.toBeUndefined()
    await expect(cache.read('key')).resolves.toBeUndefined()
  })

  test('a value that is too large is not kept', async () => {
    const cache = directoryCache(path, { maxValueBytes: 4 })
    await cache.write('key', bytes('12345'))
    await cache.write('other', bytes('1234'))
    expect(await cache.read('key')).toBeUndefined()
    expect(await cache.read('other')).toBeDefined()
  })

  test('what was not used for the longest time makes room', async () => {
    const cache = directoryCache(path, { maxBytes: 1_000 })
    for (const [i, key] of ['a', 'b', 'c'].entries()) {
      const before = new Set(await readdir(path))
      await cache.write(key, new Uint8Array(200))
      const [name = ''] = (await readdir(path)).filter(one => !before.has(one))
      await utimes(join(path, name), 1_000 + i, 1_000 + i)
    }
    await cache.read('a') // used now
    await cache.write('d', new Uint8Array(200)) // beyond the bound
    expect(await Promise.all(['a', 'b', 'c', 'd'].map(async key => (await cache.read(key)) !== undefined))).toEqual([
      true,
      false,
      false,
      true,
    ])
  })

  test('many who write at a time leave whole values and nothing else', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => directoryCache(path).write('key', bytes(`value ${i}`))))
    expect(Buffer.from((await directoryCache(path).read('key')) ?? []).toString()).toMatch(/^value \d+$/)
    expect(await readdir(path)).toHaveLength(1)
  })

  test('an abort is not mistaken for an empty cache', async () => {
    const reason = new Error('stopped')
    await expect(directoryCache(path).read('key', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

describe('defaultCacheDirectory()', () => {
  test.each<[NodeJS.Platform, NodeJS.ProcessEnv, string]>([
    ['linux', { HOME: '/home/u' }, '/home/u/.cache/oci-publish'],
    ['linux', { HOME: '/home/u', XDG_CACHE_HOME: '/var/cache/u' }, '/var/cache/u/oci-publish'],
    ['linux', { HOME: '/home/u', XDG_CACHE_HOME: 'relative' }, '/home/u/.cache/oci-publish'],
    ['darwin', { HOME: '/Users/u' }, '/Users/u/Library/Caches/oci-publish'],
    ['win32', { LOCALAPPDATA: 'C:\\Users\\u\\AppData\\Local' }, 'C:\\Users\\u\\AppData\\Local\\oci-publish'],
    ['win32', { USERPROFILE: 'C:\\Users\\u' }, 'C:\\Users\\u\\AppData\\Local\\oci-publish'],
  ])('on %s with %p it is %s', (platform, env, directory) => {
    expect(defaultCacheDirectory(env, platform)).toBe(directory)
  })
})
