import { execFileSync } from 'node:child_process'
import {
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
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

describe('what somebody else has put into the folder', () => {
  test.each<[string, (file: string) => Promise<unknown>]>([
    [
      'a link to a file, were it even of ours',
      async file => {
        await rename(file, `${path}.moved`)
        await symlink(`${path}.moved`, file)
      },
    ],
    [
      'a directory',
      async file => {
        await rm(file)
        await mkdir(file)
      },
    ],
    [
      'a pipe',
      async file => {
        await rm(file)
        execFileSync('mkfifo', [file])
      },
    ],
    ['a file larger than any value', async file => truncate(file, (8 << 20) + 200)],
  ])('%s is not read', async (_what, put) => {
    const cache = directoryCache(path)
    await cache.write('key', bytes('value'))
    await put(await onlyFile())
    expect(await directoryCache(path).read('key')).toBeUndefined()
    await rm(`${path}.moved`, { force: true })
  })

  test('a folder of another user is neither read nor written', async () => {
    await directoryCache(path).write('key', bytes('value'))
    const cache = directoryCache(path, { user: 4242 })
    expect(await cache.read('key')).toBeUndefined()
    await cache.write('other', bytes('value'))
    expect(await readdir(path)).toHaveLength(1)
  })

  test('a folder that is made is for nobody else', async () => {
    await directoryCache(join(path, 'new')).write('key', bytes('value'))
    expect((await stat(join(path, 'new'))).mode & 0o777).toBe(0o700)
  })
})

describe('defaultCacheDirectory()', () => {
  test('repositories whose jobs share a machine have a folder each', () => {
    const of = (repository: string, server = 'https://github.com'): string =>
      defaultCacheDirectory({ HOME: '/home/u', GITHUB_REPOSITORY: repository, GITHUB_SERVER_URL: server }, 'linux')
    const all = [of('acme/app'), of('acme/other'), of('evil/app'), of('acme/app', 'https://ghe.example.com')]
    expect(new Set(all).size).toBe(4)
    for (const one of all) expect(one).toMatch(/^[/]home[/]u[/][.]cache[/]oci-publish[/][0-9a-f]{16}$/)
    expect(of('Acme/App')).toBe(of('acme/app'))
  })

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
