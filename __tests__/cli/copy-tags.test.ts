import { runCli } from '../../src/cli/program.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import type { Target } from '../../src/content/ports.ts'
import { copyImage } from '../../src/copy/copy-image.ts'
import { copyTags } from '../../src/copy/copy-tags.ts'
import { OciPublishError } from '../../src/errors.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { multiPlatform } from '../copy/sample.ts'
import { referrer } from '../copy/signed.ts'
import { fakeIo } from './fake-io.ts'
import { ARTIFACT_PARTS } from './not-asked.ts'

const { root, blobs } = multiPlatform()
const SEAL = referrer('a/b', 'seal', root.descriptor)

/** Runs `copy` from a repository with some tags, of which some cannot be read, to a store that counts. */
async function run(flags: string, tags: readonly string[], broken: readonly string[] = []) {
  const from = new MemoryStore('r.example/a')
  for (const blob of [...blobs, root, ...SEAL.blobs, SEAL.manifest]) await from.push(blob)
  await from.tag(root, tags)
  const store = new MemoryStore('s.example/b')
  const pushed: string[] = []
  let closed = 0
  const target: Target = Object.assign(Object.create(store) as MemoryStore, {
    resolve: (name: string) => store.resolve(name),
    has: (descriptor: Parameters<MemoryStore['has']>[0]) => store.has(descriptor),
    tag: (...args: Parameters<MemoryStore['tag']>) => store.tag(...args),
    push: async (blob: Parameters<MemoryStore['push']>[0]) => {
      const done = await store.push(blob)
      if (done.how === 'uploaded') pushed.push(blob.descriptor.digest)
      return done
    },
    close: () => {
      closed++
      return Promise.resolve()
    },
  })
  const source = {
    place: from.place,
    open: (...args: Parameters<MemoryStore['open']>) => from.open(...args),
    resolve: (name: string) =>
      broken.includes(name) ? Promise.reject(new OciPublishError('GONE', 'it is gone')) : from.resolve(name),
    async *referrers(subject: Descriptor) {
      const { descriptor } = SEAL.manifest
      if (subject.digest === root.descriptor.digest) yield await Promise.resolve(descriptor)
    },
    async *tags() {
      for (const tag of tags) yield await Promise.resolve(tag)
    },
  }
  const deps = { locate: () => ({ source, name: '' }), openTarget: () => target, onEvent: () => undefined }
  const { io, out, err } = fakeIo()
  const exitCode = await runCli(`copy r.example/a s.example/b --all-tags ${flags}`.trim().split(' '), io, {
    env: {},
    ...ARTIFACT_PARTS,
    signal: new AbortController().signal,
    version: '0',
    locate: () => ({ source: from, name: '' }),
    publish: () => Promise.reject(new Error('not asked for')),
    copy: copyImage,
    copyTags,
    wire: ({ problems }) => Promise.resolve({ deps: deps as never, problems, close: () => Promise.resolve() }),
  })
  return { exitCode, out: out(), err: err(), pushed, closed, store }
}

test('every tag is copied, and the target is closed once, when all are there', async () => {
  const { exitCode, out, err, closed, store } = await run('', ['v1', 'v2', 'latest'])
  expect({ exitCode, closed }).toEqual({ exitCode: 0, closed: 1 })
  const digest = root.descriptor.digest
  expect(out).toBe(['v1', 'v2', 'latest'].map(tag => `s.example/b:${tag}@${digest}\n`).join(''))
  expect(err).toMatch(/^copied 3 tags of r\.example\/a, in /m)
  for (const tag of ['v1', 'v2', 'latest']) expect((await store.resolve(tag)).digest).toBe(digest)
})

test('a tag that fails does not keep the others back, and is told with exit code 1', async () => {
  const { exitCode, out, err, store, closed } = await run('--json', ['v1', 'bad', 'worse', 'v2'], ['bad', 'worse'])
  expect({ exitCode, closed }).toEqual({ exitCode: 1, closed: 1 })
  expect(JSON.parse(out)).toMatchObject({
    images: [{ tag: 'v1' }, { tag: 'v2' }],
    failures: [
      { tag: 'bad', message: 'it is gone' },
      { tag: 'worse', message: 'it is gone' },
    ],
    targets: [{ tags: ['v1', 'v2'] }],
  })
  expect(err).toContain('error: r.example/a:bad was not copied: it is gone\n')
  expect(err).toContain('error: r.example/a:worse was not copied: it is gone\n')
  expect(await store.resolve('v2')).toEqual(root.descriptor)
})

test('patterns choose the tags, and none that fits is a failure that says what there is', async () => {
  const tags = ['v1.0', 'v1.1', 'v1x0', 'v2.0', 'v1.1-rc']
  const { out } = await run('--include v1.* --exclude *-rc', tags)
  expect(out.split('\n').map(line => /:(.*)@/.exec(line)?.[1])).toEqual(['v1.0', 'v1.1', undefined])
  const none = await run('--include v3', tags)
  expect(none).toMatchObject({ exitCode: 1, out: '' })
  expect(none.err).toContain('r.example/a has 5 tags, but none that is wanted')
})

test('a dry run counts once what tags share, says what becomes of each, and writes nothing', async () => {
  const { out, err, pushed, closed } = await run('--dry-run --json', ['v1', 'v2'])
  expect({ pushed, closed }).toEqual({ pushed: [], closed: 0 })
  const { targets } = JSON.parse(out) as { targets: readonly [{ sent: { count: number }; tagSteps: unknown }] }
  expect(targets[0].sent.count).toBe(new Set([...blobs, root].map(blob => blob.descriptor.digest)).size)
  expect(targets[0].tagSteps).toEqual([
    { tag: 'v1', do: 'create' },
    { tag: 'v2', do: 'create' },
  ])
  expect(err).toContain('    v2 would be new\n')
})

test('only some platforms of every tag', async () => {
  const { exitCode, out } = await run('--platforms linux/arm64 --json', ['v1', 'v2'])
  expect(exitCode).toBe(0)
  const { images } = JSON.parse(out) as { images: readonly { digest: string; from: { digest: string } }[] }
  expect(images).toHaveLength(2)
  for (const { digest, from } of images) expect(from.digest).not.toBe(digest)
})

test('what refers to an image is told with it, and counts once for all', async () => {
  const { exitCode, out, err, store } = await run('--referrers --json', ['v1', 'v2'])
  expect({ exitCode }).toEqual({ exitCode: 0 })
  expect(JSON.parse(out)).toMatchObject({
    images: [
      { tag: 'v1', referrers: [{ digest: SEAL.manifest.descriptor.digest, subject: root.descriptor.digest }] },
      { tag: 'v2', referrers: [{ digest: SEAL.manifest.descriptor.digest, subject: root.descriptor.digest }] },
    ],
    targets: [{ referrers: { copied: 1, existing: 0 } }],
  })
  expect(err).toContain('  came along: 1 referrer\n')
  expect(await store.has(SEAL.manifest.descriptor)).toBe(true)
  const planned = await run('--referrers --dry-run', ['v1', 'v2'])
  expect(planned.err).toContain(`  would come along: 1 referrer\n    a/b  ${SEAL.manifest.descriptor.digest} on `)
})
