import { setImmediate as nextTurn } from 'node:timers/promises'
import { hangingFinder } from '../../src/content/hanging.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import type { Target } from '../../src/content/ports.ts'
import { withPush } from '../../src/content/with-push.ts'
import { copyTags, type TagsCopy } from '../../src/copy/copy-tags.ts'
import { parseCopyTags } from '../../src/copy/tags-request.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { openPlaces, type Places } from './places.ts'
import { image } from './sample.ts'
import { BUNDLE, put, putSigned, referrer, signatures, tagOf } from './signed.ts'

function copyAll(
  places: Places,
  from: string,
  to: string,
  more: { include?: readonly string[]; dryRun?: boolean } = {},
) {
  const words = { include: [], exclude: [], platforms: [], referrers: true, dryRun: false, ...more }
  return copyTags(parseCopyTags({ from, to, ...words }), places.deps)
}

/** An image of its own with a signature that refers to it. */
async function putImage(places: Places, at: string, tag: string): Promise<{ root: Descriptor; signature: Descriptor }> {
  const blobs = image('linux/amd64', [tag])
  const root = blobs.at(-1)
  if (!root) throw new Error('an image has a manifest')
  const place = places.open(at)
  for (const blob of blobs) await place.push(blob)
  await place.tag(root, [tag])
  const signature = referrer(BUNDLE, tag, root.descriptor)
  await put(place, signature)
  await place.close?.()
  return { root: root.descriptor, signature: signature.manifest.descriptor }
}

async function listed(places: Places, at: string, subject: Descriptor): Promise<readonly string[]> {
  return (await hangingFinder(places.open(at))(subject)).map(({ descriptor }) => descriptor.digest)
}

function tagsOf({ copies }: TagsCopy): readonly string[] {
  return copies.map(({ tag }) => tag)
}

test.each([
  ['api.example/a', 'tag.example/b'],
  ['tag.example/a', 'api.example/b'],
  ['tag.example/a', 'tag2.example/b'],
  ['oci:from', 'tag.example/b'],
])('every tag of %s is at %s after what refers to it', async (from, to) => {
  await using places = await openPlaces()
  const made = []
  for (let i = 1; i <= 5; i++) made.push(await putImage(places, from, `v${i}`))
  const copied = await copyAll(places, from, to)
  expect(copied.failures).toEqual([])
  expect([...tagsOf(copied)].sort()).toEqual(made.map((_one, i) => `v${i + 1}`))
  for (const { root, signature } of made) expect(await listed(places, to, root)).toEqual([signature.digest])

  const registry = places.registry(to.slice(0, to.indexOf('/')))
  const puts = registry.requests
    .filter(({ method }) => method === 'PUT')
    .map(({ path }) => path.slice(path.lastIndexOf('/') + 1))
  const lists = to.startsWith('tag')
  for (const [i, { root, signature }] of made.entries()) {
    const before = lists ? root.digest.replace(':', '-') : signature.digest
    expect(puts.indexOf(before)).toBeGreaterThanOrEqual(0)
    expect(puts.indexOf(before)).toBeLessThan(puts.indexOf(`v${i + 1}`))
  }
})

test("lists of referrers are not copied over the target's own, which has more", async () => {
  await using places = await openPlaces()
  const { root, signature } = await putImage(places, 'tag.example/a', 'v1')
  await copyAll(places, 'tag.example/a', 'tag2.example/b')
  const target = places.open('tag2.example/b')
  const own = referrer(BUNDLE, 'of the target', root)
  await put(target, own)
  await target.close?.()
  const again = await copyAll(places, 'tag.example/a', 'tag2.example/b')
  expect(tagsOf(again)).toEqual(['v1'])
  expect([...(await listed(places, 'tag2.example/b', root))].sort()).toEqual(
    [signature.digest, own.manifest.descriptor.digest].sort(),
  )
})

test('a tag that only looks like that of a list is copied as any other', async () => {
  await using places = await openPlaces()
  const { root } = await putSigned(places.open('api.example/a')) // an index, as lists are
  const name = root.digest.replace(':', '-')
  const source = places.open('api.example/a')
  await source.tag({ descriptor: root, open: options => source.open(root, options) }, [name])
  const copied = await copyAll(places, 'api.example/a', 'api2.example/b')
  expect([...tagsOf(copied)].sort()).toEqual([name, 'v1'])
})

test("cosign's tags come along once, before their image, also where only that is wanted; others come last", async () => {
  await using places = await openPlaces()
  const signed = await putSigned(places.open('api.example/a'))
  const lost = tagOf({ digest: signed.arm64.digest.replace(/.$/, '0') as typeof signed.arm64.digest }, 'sig')
  await put(places.open('api.example/a'), signatures('of what is gone'), lost)
  const wanted = await copyAll(places, 'api.example/a', 'api2.example/b', { include: ['v*'] })
  expect(tagsOf(wanted)).toEqual(['v1'])
  expect(places.registry('api2.example').tags('b').has(tagOf(signed.root, 'sig'))).toBe(true)
  const all = await copyAll(places, 'api.example/a', 'tag.example/b')
  expect(tagsOf(all)).toEqual(['v1', lost])
  expect(all.copies[0]?.copy.referrers).toHaveLength(5)
})

test("what two sides signed by tag is refused and told for both tags, and the target's is not lost", async () => {
  await using places = await openPlaces()
  const { root } = await putImage(places, 'api.example/a', 'v1')
  const tag = tagOf(root, 'sig')
  await put(places.open('api.example/a'), signatures('here'), tag)
  const there = signatures('there')
  await put(places.open('api2.example/b'), there, tag)
  const { failures, copies } = await copyAll(places, 'api.example/a', 'api2.example/b')
  expect(failures.map(one => one.tag)).toEqual(['v1', tag])
  expect(failures.map(({ error }) => error)).toMatchObject([{ code: 'TAG_EXISTS' }, { code: 'TAG_EXISTS' }])
  expect(copies).toEqual([])
  const tags = places.registry('api2.example').tags('b')
  expect([...tags]).toEqual([[tag, there.manifest.descriptor.digest]])
})

test('where all tags are known, nothing is asked for that is not there', async () => {
  await using places = await openPlaces()
  const { root } = await putImage(places, 'api.example/a', 'v1')
  const since = places.registry('api.example').requests.length
  await copyAll(places, 'api.example/a', 'api2.example/b', { dryRun: true })
  const asked = places
    .registry('api.example')
    .requests.slice(since)
    .map(({ path }) => path)
  expect(asked).toContain(`/v2/a/referrers/${root.digest}`)
  expect(asked.filter(path => /\.(?:sig|att|sbom)$/.test(path))).toEqual([])
})

test('where several tags are copied at once, one does not move while the list of another is still being written', async () => {
  await using places = await openPlaces()
  const store = new MemoryStore('target')
  const signatureOf = new Map<string, string>()
  for (let i = 1; i <= 5; i++) {
    const { signature } = await putImage(places, 'oci:from', `v${i}`)
    signatureOf.set(`v${i}`, signature.digest)
  }
  const isSignature = (digest: string): boolean => [...signatureOf.values()].includes(digest)
  // Two images have their signatures at the target before either closes it.
  let arrived = 0
  let both = (): void => undefined
  const bothArrived = new Promise<void>(resolve => (both = resolve))
  const pending = new Set<string>()
  const listed = new Set<string>()
  const tooEarly: string[] = []
  const target: Target = {
    ...withPush(store, async blob => {
      pending.add(blob.descriptor.digest)
      if (isSignature(blob.descriptor.digest)) {
        if (++arrived === 2) both()
        await bothArrived
      }
      return store.push(blob)
    }),
    tag: (manifest, names) => {
      tooEarly.push(...names.filter(name => !listed.has(signatureOf.get(name) ?? '')))
      return store.tag(manifest, names)
    },
    // As a registry does it: what was pushed until now is written down, by whoever comes first.
    close: async () => {
      const taken = [...pending]
      pending.clear()
      for (let turns = 0; turns < 20 && taken.length > 0; turns++) await nextTurn()
      for (const one of taken) listed.add(one)
    },
  }
  const words = { include: [], exclude: [], platforms: [], referrers: true, dryRun: false }
  const request = parseCopyTags({ from: 'oci:from', to: 'r.example/b', ...words })
  const { copies } = await copyTags(request, { ...places.deps, openTarget: () => target })
  expect(copies).toHaveLength(5)
  expect(tooEarly).toEqual([])
})
