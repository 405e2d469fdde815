import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { restoreActionsCache, saveActionsCache, type CacheService } from '../../src/cache/actions.ts'

let path: string
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'actions-cache-'))
})
afterEach(() => rm(path, { recursive: true, force: true }))

/** The cache service with one folder in it, or without, and what it was asked. */
function serviceWith(content: Readonly<Record<string, string>>, over: Partial<CacheService> = {}) {
  const calls: string[] = []
  const notices: string[] = []
  const service: CacheService = {
    isFeatureAvailable: () => true,
    async restoreCache([directory = ''], key, restoreKeys = []) {
      calls.push(`restore ${key} ${restoreKeys.join(' ')}`)
      await mkdir(directory, { recursive: true })
      for (const [name, text] of Object.entries(content)) await writeFile(join(directory, name), text)
      return Object.keys(content).length === 0 ? undefined : 'an earlier key'
    },
    saveCache(_paths, key) {
      calls.push(`save ${key}`)
      return Promise.resolve(1)
    },
    ...over,
  }
  const onNotice = (text: string): void => {
    notices.push(text)
  }
  return { calls, notices, options: { onNotice, load: () => Promise.resolve(service) } }
}

test('a job begins with what an earlier one left, and what it adds is kept', async () => {
  const folder = join(path, 'cache')
  const { calls, options, notices } = serviceWith({ a: '1' })
  const restored = await restoreActionsCache(folder, options)
  expect(await readdir(folder)).toEqual(['a'])
  await writeFile(join(folder, 'b'), '2')
  await saveActionsCache(folder, { ...options, restored })
  expect(calls).toEqual([
    expect.stringMatching(/^restore oci-publish-v1-\w+-[0-9a-f]{32} oci-publish-v1-\w+-$/),
    expect.stringMatching(/^save oci-publish-v1-\w+-[0-9a-f]{32}$/),
  ])
  expect(notices).toEqual([])
})

test('nothing is saved when nothing is new', async () => {
  const { calls, options } = serviceWith({ a: '1' })
  const restored = await restoreActionsCache(path, options)
  await writeFile(join(path, 'a'), '1') // written again, with the same in it
  await saveActionsCache(path, { ...options, restored })
  expect(calls).toHaveLength(1)
})

test('an empty folder is not saved', async () => {
  const { calls, options } = serviceWith({})
  const restored = await restoreActionsCache(path, options)
  await saveActionsCache(path, { ...options, restored })
  expect(calls).toHaveLength(1)
})

test('a folder that outlives jobs is not uploaded: it may hold what another repository left', async () => {
  await writeFile(join(path, 'private'), 'x')
  const { calls, options } = serviceWith({ a: '1' })
  const restored = await restoreActionsCache(path, options)
  await writeFile(join(path, 'b'), '2')
  await saveActionsCache(path, { ...options, restored })
  expect(calls).toEqual([])
})

test('without the service there is one notice, and no failure', async () => {
  const { calls, notices, options } = serviceWith({}, { isFeatureAvailable: () => false })
  const restored = await restoreActionsCache(path, options)
  await writeFile(join(path, 'a'), '1')
  await saveActionsCache(path, { ...options, restored })
  expect(calls).toEqual([])
  expect(notices).toEqual([
    'the cache service of GitHub is not available to this job; nothing is remembered between runs',
  ])
})

test('a service that never answers does not hold up the job, neither now nor at its end', async () => {
  const { calls, notices, options } = serviceWith({}, { restoreCache: () => new Promise(() => undefined) })
  const restored = await restoreActionsCache(path, { ...options, patienceMs: 1 })
  await writeFile(join(path, 'a'), '1')
  await saveActionsCache(path, { ...options, restored })
  expect(calls).toEqual([])
  expect(notices).toEqual([
    'the cache service of GitHub is slow or does not answer; this run goes on without what it holds',
  ])
})

test('a job that is cancelled does not wait for the service', async () => {
  const { options } = serviceWith({}, { restoreCache: () => new Promise(() => undefined) })
  const reason = new Error('stopped')
  const controller = new AbortController()
  const restoring = restoreActionsCache(path, { ...options, signal: controller.signal })
  controller.abort(reason)
  await expect(restoring).rejects.toBe(reason)
})

test.each<[string, Partial<CacheService>, string]>([
  [
    'restored',
    { restoreCache: () => Promise.reject(new Error('rate limit')) },
    'the cache was not restored: rate limit',
  ],
  ['saved', { saveCache: () => Promise.reject(new Error('read-only')) }, 'the cache was not saved: read-only'],
])('a cache that cannot be %s is a notice', async (_, over, notice) => {
  const { notices, options } = serviceWith({}, over)
  const restored = await restoreActionsCache(path, options)
  await writeFile(join(path, 'a'), '1')
  await saveActionsCache(path, { ...options, restored })
  expect(notices).toEqual([notice])
})

test('the real toolkit stays quiet where there is no service', async () => {
  const notices: string[] = []
  const onNotice = (text: string): void => {
    notices.push(text)
  }
  const restored = await restoreActionsCache(path, { onNotice })
  await writeFile(join(path, 'a'), '1')
  await saveActionsCache(path, { restored, onNotice })
  expect(notices).toHaveLength(1)
})
