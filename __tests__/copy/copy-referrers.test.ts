import { copyImage, type ImageCopy } from '../../src/copy/copy-image.ts'
import { parseCopy } from '../../src/copy/request.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import { hangingFinder, type Hanging } from '../../src/content/hanging.ts'
import { readAll } from '../../src/content/verify.ts'
import type { ReferrerLister, Target } from '../../src/content/ports.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import type { Digest } from '../../src/oci/digest.ts'
import { documentOf } from '../registry/client.ts'
import { openPlaces, type Places } from './places.ts'
import { multiPlatform, textBlob } from './sample.ts'
import { BUNDLE, SBOM, put, putSigned, referrer, signatures, tagOf, type SignedImage } from './signed.ts'

interface Words {
  readonly platforms?: readonly string[]
  readonly dryRun?: boolean
  readonly referrers?: boolean
}

function copy(places: Places, from: string, to: string, words: Words = {}): Promise<ImageCopy> {
  const { platforms = [], dryRun = false, referrers = true } = words
  return copyImage(parseCopy({ from, to, platforms, referrers, dryRun }), places.deps)
}

/** All that hangs on some manifests, each as `what` on `on`. */
async function hangingAt(
  place: Target & ReferrerLister,
  ...subjects: readonly Descriptor[]
): Promise<readonly string[]> {
  const linesOf = (on: Digest, all: readonly Hanging[]): readonly string[] =>
    all.flatMap(({ descriptor, tag, referrers }) => [
      `${descriptor.digest} on ${on}${tag === undefined ? '' : ' by tag'}`,
      ...linesOf(descriptor.digest, referrers),
    ])
  const found: string[] = []
  for (const one of subjects) found.push(...linesOf(one.digest, await hangingFinder(place)(one)))
  return found.sort()
}

function expected({ hanging }: SignedImage): readonly string[] {
  return Object.entries(hanging)
    .map(([name, { digest, on }]) => `${digest} on ${on}${name.startsWith('old') ? ' by tag' : ''}`)
    .sort()
}

async function bytesAt(place: Target, digest: string): Promise<string> {
  const descriptor = await place.resolve(digest)
  return Buffer.from(await readAll(place.open(descriptor), { maxBytes: 1 << 20, what: digest })).toString()
}

function writesTo(places: Places, host: string, since = 0): readonly string[] {
  return places
    .registry(host)
    .requests.slice(since)
    .filter(({ method }) => ['PUT', 'POST', 'PATCH', 'DELETE'].includes(method))
    .map(({ method, path }) => `${method} ${path}`)
}

describe.each(['api.example/a', 'tag.example/a', 'oci:from'])('from %s', from => {
  test.each(['api2.example/b', 'tag2.example/b', 'oci:to'])(
    'all that refers to an image is found at %s, byte for byte',
    async to => {
      await using places = await openPlaces()
      const signed = await putSigned(places.open(from))
      const { referrers = [] } = await copy(places, `${from}:v1`, to)
      const target = places.open(to)
      const { root, amd64, arm64, hanging } = signed
      expect(await target.resolve('v1')).toMatchObject({ digest: root.digest })
      expect(await hangingAt(target, root, amd64, arm64)).toEqual(expected(signed))
      expect(
        referrers
          .map(
            ({ descriptor, subject, tag }) => `${descriptor.digest} on ${subject}${tag === undefined ? '' : ' by tag'}`,
          )
          .sort(),
      ).toEqual(expected(signed))
      expect(referrers.every(({ existed }) => !existed)).toBe(true)
      for (const { digest } of Object.values(hanging)) {
        expect(await bytesAt(target, digest)).toBe(await bytesAt(places.open(from), digest))
      }
    },
  )
})

test('an archive carries them to where no registry is reached from here', async () => {
  await using places = await openPlaces()
  const signed = await putSigned(places.open('api.example/a'))
  await copy(places, 'api.example/a:v1', 'oci-archive:a.tar')
  await copy(places, 'oci-archive:a.tar', 'tag.example/b:v1')
  const { root, amd64, arm64 } = signed
  expect(await hangingAt(places.open('tag.example/b'), root, amd64, arm64)).toEqual(expected(signed))
})

test('a layout with signatures is of one image still', async () => {
  await using places = await openPlaces()
  const { root } = await putSigned(places.open('api.example/a'))
  await copy(places, `api.example/a@${root.digest}`, 'oci:to')
  expect((await copy(places, 'oci:to', 'api2.example/c:v1')).root.digest).toBe(root.digest)
})

test.each([
  ['api2.example', (root: Descriptor) => [tagOf(root, 'sig')]],
  ['tag2.example', (root: Descriptor) => [tagOf(root, 'sig'), root.digest.replace(':', '-')]],
] as const)('at %s nobody sees the tag before the signatures are found', async (host, tagsBefore) => {
  await using places = await openPlaces()
  const { root } = await putSigned(places.open('api.example/a'))
  await copy(places, 'api.example/a:v1', `${host}/b`)
  const writes = writesTo(places, host)
  expect(writes.at(-1)).toBe('PUT /v2/b/manifests/v1')
  expect(writes).toEqual(expect.arrayContaining(tagsBefore(root).map(tag => `PUT /v2/b/manifests/${tag}`)))
})

test.each([
  ['a signature is refused', /manifests\/sha256:/, 'signature'],
  ['the list of referrers is refused', /manifests\/sha256-[0-9a-f]+$/, undefined],
  ["cosign's tag is refused", /manifests\/sha256-[0-9a-f]+\.sig$/, undefined],
] as const)('where %s, the tag does not move', async (_name, path, which) => {
  await using places = await openPlaces()
  const { hanging } = await putSigned(places.open('api.example/a'))
  const matching = which === undefined ? path : hanging[which].digest
  places.registry('tag.example').fail({ method: 'PUT', path: matching, times: 99 }, { status: 403 })
  await expect(copy(places, 'api.example/a:v1', 'tag.example/b')).rejects.toThrow()
  expect(places.registry('tag.example').tags('b').get('v1')).toBeUndefined()
})

test.each(['api2.example', 'tag2.example'])(
  'the second copy sends nothing to %s, and says that all is there',
  async host => {
    await using places = await openPlaces()
    await putSigned(places.open('api.example/a'))
    await copy(places, 'api.example/a:v1', `${host}/b`)
    const since = places.registry(host).requests.length
    const { referrers = [], outcome } = await copy(places, 'api.example/a:v1', `${host}/b`)
    expect(writesTo(places, host, since)).toEqual([])
    expect(referrers).toHaveLength(5)
    expect(referrers.every(({ existed }) => existed)).toBe(true)
    expect(outcome).toMatchObject({ result: { sent: { descriptors: [] }, mounted: { descriptors: [] } } })
  },
)

test('a signature that came after the image follows it, and the tag stays', async () => {
  await using places = await openPlaces()
  const source = places.open('api.example/a')
  const { root } = await putSigned(source)
  await copy(places, 'api.example/a:v1', 'api2.example/b')
  const late = referrer(BUNDLE, 'by somebody else', root)
  await put(source, late)
  const since = places.registry('api2.example').requests.length
  const { referrers = [] } = await copy(places, 'api.example/a:v1', 'api2.example/b')
  const fresh = referrers.filter(({ existed }) => !existed).map(({ descriptor }) => descriptor.digest)
  expect(fresh).toEqual([late.manifest.descriptor.digest])
  expect(writesTo(places, 'api2.example', since).filter(line => line.startsWith('PUT /v2/b/manifests'))).toEqual([
    `PUT /v2/b/manifests/${late.manifest.descriptor.digest}`,
  ])
})

test('what is at the target, but in no list there, is put into the list', async () => {
  await using places = await openPlaces()
  const signed = await putSigned(places.open('api.example/a'))
  const { root, amd64, arm64, hanging } = signed
  await copy(places, 'api.example/a:v1', 'tag.example/b')
  // As a copy leaves it that was stopped before it wrote the list.
  const list = root.digest.replace(':', '-')
  await places.open('tag.example/b').tag(
    documentOf('application/vnd.oci.image.index.v1+json', {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [],
    }),
    [list],
  )
  expect(await hangingAt(places.open('tag.example/b'), root)).toEqual([
    `${hanging['old signature'].digest} on ${root.digest} by tag`,
  ])
  await copy(places, 'api.example/a:v1', 'tag.example/b')
  expect(await hangingAt(places.open('tag.example/b'), root, amd64, arm64)).toEqual(expected(signed))
})

test('of 14 signatures of one image none is missing from the list of a registry that loses what is pushed side by side', async () => {
  await using places = await openPlaces({ racyReferrers: true })
  const from = places.open('api.example/a')
  const { root, blobs } = multiPlatform()
  for (const blob of blobs) await from.push(blob)
  await from.tag(root, ['v1'])
  for (let n = 0; n < 14; n++) await put(from, referrer(BUNDLE, `signature ${n}`, root.descriptor))
  await from.close?.()
  await copy(places, 'api.example/a:v1', 'api2.example/b')
  expect(await hangingAt(places.open('api2.example/b'), root.descriptor)).toHaveLength(14)
})

test('a signature that is at the target, but not in the list of the registry, is pushed again', async () => {
  await using places = await openPlaces()
  const signed = await putSigned(places.open('api.example/a'))
  const { root, amd64, arm64, hanging } = signed
  await copy(places, 'api.example/a:v1', 'api2.example/b')
  places.registry('api2.example').unlist('b', hanging.signature.digest)
  const { referrers = [] } = await copy(places, 'api.example/a:v1', 'api2.example/b')
  expect(referrers.every(({ existed }) => existed)).toBe(true)
  expect(await hangingAt(places.open('api2.example/b'), root, amd64, arm64)).toEqual(expected(signed))
})

test('within a registry they are mounted, as the image is', async () => {
  await using places = await openPlaces()
  await putSigned(places.open('api.example/a'))
  const { outcome } = await copy(places, 'api.example/a:v1', 'api.example/b')
  const sent = outcome.steps ? [] : outcome.result.sent.descriptors
  expect(sent.every(({ mediaType }) => mediaType.includes('.image.'))).toBe(true) // manifests and index; no content
})

test('a dry run shows what would come along, and changes nothing', async () => {
  await using places = await openPlaces()
  const signed = await putSigned(places.open('api.example/a'))
  const { referrers = [], outcome } = await copy(places, 'api.example/a:v1', 'tag.example/b', { dryRun: true })
  expect(
    referrers
      .map(({ descriptor, subject, tag }) => `${descriptor.digest} on ${subject}${tag === undefined ? '' : ' by tag'}`)
      .sort(),
  ).toEqual(expected(signed))
  const planned = new Set(outcome.steps?.flatMap(step => (step.do === 'send' ? [step.descriptor.digest] : [])))
  for (const { digest } of [signed.root, ...Object.values(signed.hanging)]) expect(planned.has(digest)).toBe(true)
  expect(writesTo(places, 'tag.example')).toEqual([])

  await copy(places, 'api.example/a:v1', 'tag.example/b')
  const again = await copy(places, 'api.example/a:v1', 'tag.example/b', { dryRun: true })
  expect(again.referrers?.every(({ existed }) => existed)).toBe(true)
  expect(again.outcome.steps?.filter(step => step.do !== 'keep')).toEqual([])
})

test('of fewer platforms only what they have comes along, and what said something about the index is named', async () => {
  await using places = await openPlaces()
  const { root, amd64, arm64, hanging } = await putSigned(places.open('api.example/a'))
  const target = places.open('api2.example/b')
  const none = await copy(places, 'api.example/a:v1', 'api2.example/b:arm', { platforms: ['linux/arm64'] })
  expect(none.referrers).toEqual([])
  // Nobody has referred to what is made here and now.
  const asked = places.registry('api.example').requests.map(({ path }) => path)
  expect(asked).toContain(`/v2/a/referrers/${root.digest}`)
  expect(asked).not.toContain(`/v2/a/referrers/${none.root.digest}`)
  expect(await hangingAt(target, none.root, arm64)).toEqual([])
  expect(places.notices()).toContain(
    `${root.digest} is rewritten: 2 referrers say something about it, and are left out; sign ${none.root.digest} at the target`,
  )
  const some = await copy(places, 'api.example/a:v1', 'api2.example/b:amd', { platforms: ['linux/amd64'] })
  const [sbom, seal, oldSeal] = [hanging.sbom, hanging['signature of the sbom'], hanging['old signature of the sbom']]
  expect(some.referrers?.map(({ descriptor }) => descriptor.digest).sort()).toEqual(
    [sbom, seal, oldSeal].map(({ digest }) => digest).sort(),
  )
  expect(await hangingAt(target, amd64)).toHaveLength(3)
  // All platforms are the index as it was.
  const all = await copy(places, 'api.example/a:v1', 'api2.example/b:all', {
    platforms: ['linux/amd64', 'linux/arm64'],
  })
  expect(all.referrers).toHaveLength(5)
})

test('without being asked to, a copy neither looks for them nor brings them', async () => {
  await using places = await openPlaces()
  const { root } = await putSigned(places.open('api.example/a'))
  const since = places.registry('api.example').requests.length
  const { referrers } = await copy(places, 'api.example/a:v1', 'api2.example/b', { referrers: false })
  expect(referrers).toBeUndefined()
  expect(await hangingAt(places.open('api2.example/b'), root)).toEqual([])
  const asked = places.registry('api.example').requests.slice(since)
  expect(asked.filter(({ path }) => path.includes('/referrers/') || path.endsWith('.sig'))).toEqual([])
})

describe("under cosign's tag", () => {
  /** Signatures of the older form at both ends, and a copy. */
  async function meet(places: Places, here: readonly string[], there: readonly string[], words: Words = {}) {
    const { root, blobs } = multiPlatform()
    const [source, target] = [places.open('api.example/a'), places.open('api2.example/b')]
    for (const blob of blobs) await source.push(blob)
    await source.tag(root, ['v1'])
    const tag = tagOf(root.descriptor, 'sig')
    await put(source, signatures(...here), tag)
    await put(target, signatures(...there), tag)
    const copied = await copy(places, 'api.example/a:v1', 'api2.example/b', words)
    const digest = (await places.open('api2.example/b').resolve(tag)).digest
    return { copied, digest }
  }
  const digestOf = (...all: readonly string[]): Digest => signatures(...all).manifest.descriptor.digest

  test('signatures that were added at the target are not lost', async () => {
    await using places = await openPlaces()
    const { copied, digest } = await meet(places, ['a'], ['a', 'b'])
    expect(digest).toBe(digestOf('a', 'b'))
    expect(copied.referrers).toMatchObject([{ existed: true }])
  })

  test('signatures that were added at the source follow', async () => {
    await using places = await openPlaces()
    const { copied, digest } = await meet(places, ['a', 'b'], ['a'])
    expect(digest).toBe(digestOf('a', 'b'))
    expect(copied.referrers).toMatchObject([{ existed: false }])
  })

  test.each([false, true])(
    'signatures that each side has alone are refused, in a dry run too (%s), and no tag moves',
    async dryRun => {
      await using places = await openPlaces()
      const { root } = multiPlatform()
      const refusal = meet(places, ['a', 'b'], ['a', 'c'], { dryRun })
      await expect(refusal).rejects.toMatchObject({
        code: 'TAG_EXISTS',
        message: `127.0.0.1:${new URL(places.registry('api2.example').url).port}/b:${tagOf(root.descriptor, 'sig')} is ${digestOf('a', 'c')}, which has what ${digestOf('a', 'b')} of ${places.registry('api.example').host}/a has not, and lacks what that has`,
        hint: expect.stringContaining('sign again at the target') as unknown,
      })
      expect(places.registry('api2.example').tags('b').get('v1')).toBeUndefined()
    },
  )
})

test('an index that refers to an image comes with what is in it', async () => {
  await using places = await openPlaces()
  const source = places.open('api.example/a')
  const { root } = await putSigned(source)
  const part = referrer(SBOM, 'part', root) // refers to the index by itself as well
  const type = 'application/vnd.oci.image.index.v1+json'
  const { mediaType, digest, size } = root
  const collection = documentOf(type, {
    schemaVersion: 2,
    mediaType: type,
    artifactType: 'application/vnd.example.collection',
    manifests: [part.manifest.descriptor],
    subject: { mediaType, digest, size },
  })
  await put(source, part)
  await source.push(collection)
  const { referrers = [] } = await copy(places, 'api.example/a:v1', 'tag.example/b')
  expect(referrers.map(({ descriptor }) => descriptor.digest)).toContain(collection.descriptor.digest)
  expect(places.registry('tag.example').missing('b', collection.descriptor.digest)).toEqual([])
})

test('what registries do not take any more is named and left out', async () => {
  await using places = await openPlaces()
  const source = places.open('oci:from')
  const { root } = await putSigned(source)
  const old = textBlob('{}', 'application/vnd.docker.distribution.manifest.v1+json')
  await source.push(old)
  await source.tag(old, [tagOf(root, 'att')])
  await copy(places, 'oci:from:v1', 'api.example/b')
  expect(places.notices().join('\n')).toMatch(
    /:sha256-[0-9a-f]+\.att is left out: it is of type .*v1\+json, which registries do not take/,
  )
})

test('a source that cannot tell what refers to an image is refused before anything is sent', async () => {
  await using places = await openPlaces()
  const store = new MemoryStore('somewhere')
  const { root, blobs } = multiPlatform()
  for (const blob of blobs) await store.push(blob)
  await store.tag(root, ['v1'])
  const deps = {
    ...places.deps,
    locate: () => ({ source: store, name: 'v1', mountDomain: undefined, repository: undefined }),
  }
  const request = parseCopy({
    from: 'r.example/a:v1',
    to: 'api.example/b',
    platforms: [],
    referrers: true,
    dryRun: false,
  })
  await expect(copyImage(request, deps)).rejects.toThrow('somewhere keeps no list of what refers to its manifests')
  expect(writesTo(places, 'api.example')).toEqual([])
})

test('a stop before the tag leaves the target without the tag', async () => {
  await using places = await openPlaces()
  await putSigned(places.open('api.example/a'))
  const stop = new AbortController()
  const reason = new Error('stopped')
  const deps = {
    ...places.deps,
    onEvent: (event: Parameters<typeof places.deps.onEvent>[0]) => {
      if (event.type === 'step' && event.text === 'What refers to it') stop.abort(reason)
    },
  }
  const request = parseCopy({
    from: 'api.example/a:v1',
    to: 'api2.example/b',
    platforms: [],
    referrers: true,
    dryRun: false,
  })
  await expect(copyImage(request, deps, { signal: stop.signal })).rejects.toBe(reason)
  expect(places.registry('api2.example').tags('b').size).toBe(0)
})
