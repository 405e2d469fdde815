import type { Blob } from '../../src/content/blob.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { parseDigest, type Digest } from '../../src/oci/digest.ts'
import { DOCKER_INDEX, OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { referrerOf } from '../../src/oci/referrer.ts'
import { referrersTag } from '../../src/registry/referrers/tag.ts'
import type { RegistryRepository } from '../../src/registry/registry.ts'
import { startSpecRegistry, type SpecRegistry, type SpecRegistryOptions } from '../../conformance/server/registry.ts'
import { blobOf, clientOf, documentOf } from './client.ts'

const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json'
const SBOM = 'application/spdx+json'
const empty = blobOf(new TextEncoder().encode('{}'), EMPTY_TYPE)

const imageOf = (more: object = {}): Blob =>
  documentOf(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: empty.descriptor,
    layers: [empty.descriptor],
    ...more,
  })

const subject = imageOf({ annotations: { is: 'the subject' } })
const about = (artifactType: string, n: number, of: Blob = subject): Blob =>
  imageOf({ artifactType, subject: of.descriptor, annotations: { n: `${n}` } })
const sbom = about(SBOM, 1)
const signature = about('application/vnd.example.signature', 2)

const PATH = `/v2/team/app/referrers/${subject.descriptor.digest}`
const TAG = referrersTag(subject.descriptor.digest)
const TAG_PATH = `/v2/team/app/manifests/${TAG}`

async function push(target: RegistryRepository, ...manifests: readonly Blob[]): Promise<void> {
  await target.push(empty)
  for (const manifest of manifests) await target.push(manifest)
}

async function digestsOf(listed: AsyncIterable<Descriptor>): Promise<readonly Digest[]> {
  const digests: Digest[] = []
  for await (const { digest } of listed) digests.push(digest)
  return digests
}

const asked = ({ requests }: SpecRegistry, method: string, path: string): number =>
  requests.filter(one => one.method === method && one.path === path).length

/** What is in the list under the tag. */
function underTag(registry: SpecRegistry): readonly Descriptor[] {
  const bytes = registry.manifest('team/app', TAG)?.bytes
  return bytes ? (JSON.parse(bytes.toString()) as { manifests: readonly Descriptor[] }).manifests : []
}

const WITH_API: SpecRegistryOptions = { referrers: true, referrersPerPage: 1 }
const WITHOUT: SpecRegistryOptions = { referrers: false }

describe.each([
  ['from the registry, in pages', WITH_API],
  ['from a tag', WITHOUT],
])('a list of referrers %s', (_name, options) => {
  test('has what was pushed, with its type and all its annotations', async () => {
    await using registry = await startSpecRegistry(options)
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, subject, sbom, signature)
    await target.close?.()

    const listed: Descriptor[] = []
    for await (const one of client.open('team/app', 'source').referrers(subject.descriptor)) listed.push(one)
    expect(listed).toEqual([
      { ...sbom.descriptor, artifactType: SBOM, annotations: { n: '1' } },
      { ...signature.descriptor, artifactType: 'application/vnd.example.signature', annotations: { n: '2' } },
    ])
  })

  test('has only those of the type that is wanted', async () => {
    await using registry = await startSpecRegistry(options)
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, subject, sbom, signature)
    await target.close?.()
    expect(await digestsOf(target.referrers(subject.descriptor, { artifactType: SBOM }))).toEqual([
      sbom.descriptor.digest,
    ])
    expect(await digestsOf(target.referrers(subject.descriptor, { artifactType: 'text/x' }))).toEqual([])
  })

  test('is empty for what nobody refers to, and where there is no such repository', async () => {
    await using registry = await startSpecRegistry(options)
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, subject)
    expect(await digestsOf(target.referrers(subject.descriptor))).toEqual([])
    expect(await digestsOf(client.open('team/none').referrers(subject.descriptor))).toEqual([])
  })
})

describe('a list of referrers', () => {
  const list = (...manifests: readonly object[]): string =>
    JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })

  test('that has the children of an index, or what is gone, does not have them for us', async () => {
    await using registry = await startSpecRegistry()
    await using client = clientOf(registry)
    const target = client.open('team/app')
    const stranger = imageOf({ annotations: { is: 'a child' } })
    await push(target, subject, stranger, sbom)
    const gone = { ...sbom.descriptor, digest: `sha256:${'0'.repeat(64)}` }
    const body = list(subject.descriptor, stranger.descriptor, gone, sbom.descriptor, sbom.descriptor)
    registry.fail({ path: PATH }, { status: 200, headers: { 'content-type': OCI_INDEX }, body })
    expect(await digestsOf(target.referrers(subject.descriptor))).toEqual([sbom.descriptor.digest])
  })

  test('that is null, as Go writes an empty one, is empty', async () => {
    await using registry = await startSpecRegistry()
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, subject)
    const body = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: null })
    registry.fail({ path: PATH }, { status: 200, headers: { 'content-type': OCI_INDEX }, body })
    expect(await digestsOf(target.referrers(subject.descriptor))).toEqual([])
  })

  const entry = (i: number): Descriptor => ({
    ...{ mediaType: OCI_MANIFEST, size: 100 },
    digest: parseDigest(`sha256:${i.toString(16).padStart(64, '0')}`),
  })
  const reads = (registry: SpecRegistry): number =>
    registry.requests.filter(
      ({ method, path }) => method === 'GET' && path.startsWith('/v2/team/app/manifests/sha256:'),
    ).length

  test.each([WITH_API, WITHOUT])(
    'with more entries than anybody attaches is refused before any is read: %j',
    async options => {
      await using registry = await startSpecRegistry(options)
      await using client = clientOf(registry)
      const target = client.open('team/app')
      await push(target, subject)
      const body = list(...Array.from({ length: 2_001 }, (_one, i) => entry(i)))
      const path = options.referrers === false ? TAG_PATH : PATH
      registry.fail({ path }, { status: 200, headers: { 'content-type': OCI_INDEX }, body })
      const before = reads(registry)
      await expect(digestsOf(target.referrers(subject.descriptor))).rejects.toMatchObject({
        code: 'TOO_LARGE',
        message: expect.stringContaining('there are more than 2000') as string,
      })
      expect(reads(registry)).toBe(before)
    },
  )

  test('of many pages has a total, too', async () => {
    await using registry = await startSpecRegistry()
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, subject)
    const body = list(...Array.from({ length: 10_000 }, (_one, i) => ({ ...entry(i), artifactType: 'text/x' })))
    for (let page = 1; page < 20; page++) {
      const headers = { 'content-type': OCI_INDEX, link: `<${PATH}?p=${page}>; rel="next"` }
      registry.fail({ path: PATH, nth: page }, { status: 200, headers, body })
    }
    await expect(digestsOf(target.referrers(subject.descriptor, { artifactType: SBOM }))).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('the list has more than 100000 referrers') as string,
    })
  })

  test('of what is not there costs a run a thousand reads, not one for each entry of each list', async () => {
    await using registry = await startSpecRegistry()
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, subject)
    const body = list(...Array.from({ length: 600 }, (_one, i) => entry(i)))
    const answer = { status: 200, headers: { 'content-type': OCI_INDEX }, body } as const
    registry.fail({ path: PATH, nth: 1 }, answer)
    registry.fail({ path: PATH, nth: 2 }, answer)
    expect(await digestsOf(target.referrers(subject.descriptor))).toEqual([])
    await expect(digestsOf(target.referrers(subject.descriptor))).rejects.toMatchObject({ code: 'INVALID_LIST' })
    expect(reads(registry)).toBe(1_001)
  })

  test('that gives all artifacts the type of an empty config is read with the types of the manifests', async () => {
    await using registry = await startSpecRegistry()
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, subject, sbom, signature)
    const [one, other] = [sbom, signature].map(({ descriptor }) => ({ ...descriptor, artifactType: EMPTY_TYPE }))
    const body = list(one ?? {}, other ?? {})
    registry.fail({ path: PATH }, { status: 200, headers: { 'content-type': OCI_INDEX }, body })
    expect(await digestsOf(target.referrers(subject.descriptor, { artifactType: SBOM }))).toEqual([
      sbom.descriptor.digest,
    ])
  })

  test.each([
    ['a page of HTML', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }],
    ['400', { status: 400 }],
    ['405', { status: 405 }],
    ['406', { status: 406 }],
  ])('is read from the tag where the registry answers with %s', async (_name, fault) => {
    await using registry = await startSpecRegistry(WITHOUT)
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, subject, sbom)
    await target.flushReferrers()
    registry.fail({ path: PATH }, fault)
    expect(await digestsOf(target.referrers(subject.descriptor))).toEqual([sbom.descriptor.digest])
  })

  test('is an error, not empty, where the registry fails in the middle of it', async () => {
    await using registry = await startSpecRegistry(WITH_API)
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, subject, sbom, signature)
    registry.fail({ path: PATH, nth: 2 }, { status: 404 })
    await expect(digestsOf(target.referrers(subject.descriptor))).rejects.toMatchObject({ status: 404 })
  })

  test('is asked for in vain once, not for every manifest', async () => {
    await using registry = await startSpecRegistry(WITHOUT)
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, subject, sbom)
    for (let i = 0; i < 3; i++) await digestsOf(target.referrers(subject.descriptor))
    expect(asked(registry, 'GET', PATH)).toBe(1)
  })

  test('is read from the tag at once where the registry is known to keep none, and asked for when there is no tag', async () => {
    await using registry = await startSpecRegistry(WITHOUT)
    await using client = clientOf(registry, { profile: 'ghcr' })
    const target = client.open('team/app')
    await push(target, subject, sbom)
    await target.flushReferrers()
    expect(await digestsOf(target.referrers(subject.descriptor))).toEqual([sbom.descriptor.digest])
    expect(asked(registry, 'GET', PATH)).toBe(0)

    await using learnt = await startSpecRegistry()
    await using later = clientOf(learnt, { profile: 'ghcr' })
    await push(later.open('team/app'), subject, sbom)
    expect(await digestsOf(later.open('team/app').referrers(subject.descriptor))).toEqual([sbom.descriptor.digest])
  })
})

describe('a manifest that refers to another', () => {
  test('is all there is to push where the registry keeps lists; that it is listed is asked once', async () => {
    await using registry = await startSpecRegistry()
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, subject, sbom, signature)
    await target.flushReferrers()
    expect(asked(registry, 'GET', PATH)).toBe(1)
    expect(asked(registry, 'GET', TAG_PATH) + asked(registry, 'PUT', TAG_PATH)).toBe(0)
  })

  test('is looked for in its list once, also where the registry is known to keep lists', async () => {
    await using registry = await startSpecRegistry()
    await using client = clientOf(registry, { profile: 'acr' })
    const target = client.open('team/app')
    await push(target, subject, sbom)
    await target.flushReferrers()
    expect(asked(registry, 'GET', PATH)).toBe(1)
    expect(asked(registry, 'PUT', TAG_PATH)).toBe(0)
  })

  test('is listed under the tag too where the registry says OCI-Subject and keeps no list', async () => {
    await using registry = await startSpecRegistry()
    await using client = clientOf(registry)
    const target = client.open('team/app')
    registry.fail({ path: PATH, times: 9 }, { status: 404 })
    await push(target, subject, sbom)
    await target.flushReferrers()
    expect(underTag(registry).map(({ digest }) => digest)).toEqual([sbom.descriptor.digest])
  })

  test('costs one PUT of the list for all that a run pushes, however often it is closed', async () => {
    await using registry = await startSpecRegistry(WITHOUT)
    await using client = clientOf(registry)
    const [one, other] = [client.open('team/app'), client.open('team/app')]
    await push(one, subject, sbom)
    await push(other, signature)
    expect(asked(registry, 'PUT', TAG_PATH)).toBe(0)
    await Promise.all([one.close?.(), other.close?.()])
    await one.close?.()
    expect(underTag(registry)).toHaveLength(2)
    expect(asked(registry, 'PUT', TAG_PATH)).toBe(1)
  })

  test('keeps what is listed, and what of the list is unknown to us', async () => {
    await using registry = await startSpecRegistry(WITHOUT)
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, subject, signature)
    const before = documentOf(OCI_INDEX, {
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [{ ...signature.descriptor, annotations: { kept: 'yes' }, strange: 1 }],
      annotations: { of: 'the list' },
      strange: [2],
    })
    await target.push(before)
    await target.tag(before, [TAG])
    await push(target, sbom)
    await target.flushReferrers()
    const after = JSON.parse(registry.manifest('team/app', TAG)?.bytes.toString() ?? '') as object
    expect(after).toMatchObject({ annotations: { of: 'the list' }, strange: [2] })
    expect(underTag(registry)).toMatchObject([
      { digest: signature.descriptor.digest, annotations: { kept: 'yes' }, strange: 1 },
      { digest: sbom.descriptor.digest, annotations: { n: '1' } },
    ])
  })

  test('is listed when it was there already and the run that pushed it could not list it', async () => {
    await using registry = await startSpecRegistry(WITHOUT)
    await using earlier = clientOf(registry)
    await push(earlier.open('team/app'), subject, sbom)
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, subject, sbom)
    await target.flushReferrers()
    expect(underTag(registry)).toHaveLength(1)
    await using later = clientOf(registry)
    await push(later.open('team/app'), subject, sbom)
    await later.open('team/app').close?.()
    expect(asked(registry, 'PUT', TAG_PATH)).toBe(1)
  })

  test('is not listed over something else that has the name of the list', async () => {
    await using registry = await startSpecRegistry(WITHOUT)
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, subject, sbom)
    await target.tag(subject, [TAG])
    await expect(target.flushReferrers()).rejects.toMatchObject({
      code: 'REFERRERS_TAG_TAKEN',
      message: `${registry.host}/team/app:${TAG} is no image index, but ${OCI_MANIFEST}`,
      hint: expect.stringContaining('delete it') as string,
    })
    const list = documentOf(DOCKER_INDEX, { schemaVersion: 2, mediaType: DOCKER_INDEX, manifests: [] })
    await target.push(list)
    await target.tag(list, [TAG])
    await expect(target.flushReferrers()).rejects.toMatchObject({ code: 'REFERRERS_TAG_TAKEN' })
  })

  test.each([
    ['that heeds no conditions', WITHOUT, undefined],
    ['that heeds conditions', { ...WITHOUT, conditions: true }, expect.stringMatching(/^"sha256:/) as string],
  ])('is not lost when two runs attach at the same time to a registry %s', async (_name, options, last) => {
    await using registry = await startSpecRegistry(options)
    const waits: number[] = []
    const onWait = (waitMs: number): number => waits.push(waitMs)
    await using one = clientOf(registry, { onWait })
    await using other = clientOf(registry, { onWait })
    await push(one.open('team/app'), subject, sbom)
    await push(other.open('team/app'), subject, signature)
    await Promise.all([one.open('team/app').flushReferrers(), other.open('team/app').flushReferrers()])
    expect(new Set(underTag(registry).map(({ digest }) => digest))).toEqual(
      new Set([sbom.descriptor.digest, signature.descriptor.digest]),
    )
    expect(waits.length).toBeGreaterThanOrEqual(2)
    expect(waits.every(waitMs => waitMs >= 200 && waitMs <= 800)).toBe(true)
    const puts = registry.requests.filter(({ method, path }) => method === 'PUT' && path === TAG_PATH)
    expect(puts[0]?.headers['if-none-match']).toBe('*')
    expect(puts.at(-1)?.headers['if-match']).toEqual(last)
  })

  test('that others push out of the list again and again is told of, and kept for another try', async () => {
    await using registry = await startSpecRegistry(WITHOUT)
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, subject, sbom)
    registry.fail({ method: 'GET', path: TAG_PATH, times: 6 }, { status: 404 })
    await expect(target.flushReferrers()).rejects.toMatchObject({
      code: 'REFERRERS_NOT_LISTED',
      message: `${registry.host}/team/app:${TAG}: others changed the list of referrers 5 times`,
    })
    expect(asked(registry, 'PUT', TAG_PATH)).toBe(5)
    await target.flushReferrers()
    expect(underTag(registry)).toHaveLength(1)
  })

  test('stops when it is told to', async () => {
    await using registry = await startSpecRegistry(WITHOUT)
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, subject, sbom)
    const reason = new Error('stop')
    await expect(target.flushReferrers({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(asked(registry, 'PUT', TAG_PATH)).toBe(0)
  })
})

describe('a signature that a registry with the API loses from its list', () => {
  const many = Array.from({ length: 14 }, (_none, n) => about('application/vnd.example.signature', n))
  const listedIn = (registry: SpecRegistry): readonly string[] =>
    [...registry.referrers('team/app', subject.descriptor.digest)].sort()
  const all = many.map(({ descriptor }) => descriptor.digest).sort()
  const pushesOf = ({ requests }: SpecRegistry, { descriptor }: Blob): number =>
    requests.filter(({ method, path }) => method === 'PUT' && path.endsWith(descriptor.digest)).length

  test('is not lost by pushing several of one subject at a time', async () => {
    await using registry = await startSpecRegistry({ racyReferrers: true })
    await using client = clientOf(registry)
    const [target, again] = [client.open('team/app'), client.open('team/app')]
    await push(target, subject)
    await Promise.all(many.map((one, n) => (n % 2 === 0 ? target : again).push(one)))
    await target.close?.()
    expect(listedIn(registry)).toEqual(all)
    expect(many.map(one => pushesOf(registry, one))).toEqual(many.map(() => 1))
  })

  test('is pushed again, though the registry said OCI-Subject, and the list looked at until it stays', async () => {
    await using registry = await startSpecRegistry()
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, subject)
    registry.fail({ method: 'PUT', path: sbom.descriptor.digest }, { unlisted: true })
    await push(target, sbom, signature)
    expect(listedIn(registry)).toEqual([signature.descriptor.digest])
    await target.close?.()
    expect(listedIn(registry)).toHaveLength(2)
    expect([pushesOf(registry, sbom), pushesOf(registry, signature)]).toEqual([2, 1])
    expect(asked(registry, 'GET', PATH)).toBe(4) // missing, still missing, there, there
  })

  test('is noticed by the next run, whose manifest is there and not listed', async () => {
    await using registry = await startSpecRegistry()
    await using earlier = clientOf(registry)
    await push(earlier.open('team/app'), subject, sbom, signature)
    await earlier.open('team/app').close?.()
    registry.unlist('team/app', sbom.descriptor.digest)
    await using client = clientOf(registry, { profile: 'acr' })
    const target = client.open('team/app')
    await target.push(empty)
    expect(await target.push(sbom)).toMatchObject({ how: 'exists' })
    expect(await target.push(signature)).toMatchObject({ how: 'exists' })
    await target.close?.()
    expect(listedIn(registry)).toHaveLength(2)
    expect([pushesOf(registry, sbom), pushesOf(registry, signature)]).toEqual([2, 1])
  })

  test('is found where two runs push at the same moment', async () => {
    await using registry = await startSpecRegistry({ racyReferrers: true })
    await using one = clientOf(registry)
    await using other = clientOf(registry)
    await push(one.open('team/app'), subject)
    await other.open('team/app').push(empty)
    const run = async (client: ReturnType<typeof clientOf>, own: readonly Blob[]): Promise<void> => {
      const target = client.open('team/app')
      for (const manifest of own) await target.push(manifest)
      await target.close?.()
    }
    await Promise.all([run(one, many.slice(0, 7)), run(other, many.slice(7))])
    expect(listedIn(registry)).toEqual(all)
  })

  test('is not pushed again where the list is only behind', async () => {
    await using registry = await startSpecRegistry()
    const waits: number[] = []
    await using client = clientOf(registry, { onWait: waitMs => waits.push(waitMs) })
    const target = client.open('team/app')
    await push(target, subject)
    registry.fail({ method: 'PUT', path: sbom.descriptor.digest }, { lagLists: 1 })
    await push(target, sbom)
    await target.close?.()
    expect(pushesOf(registry, sbom)).toBe(1)
    expect(waits).toEqual([200])
  })

  test('for good is named, after a bounded number of pushes, and tried again by the next call', async () => {
    await using registry = await startSpecRegistry()
    const waits: number[] = []
    await using client = clientOf(registry, { onWait: waitMs => waits.push(waitMs) })
    const target = client.open('team/app')
    await push(target, subject)
    registry.fail({ method: 'PUT', path: sbom.descriptor.digest, times: 6 }, { unlisted: true })
    await push(target, sbom)
    const { digest } = subject.descriptor
    await expect(target.close?.()).rejects.toMatchObject({
      code: 'REFERRERS_NOT_LISTED',
      message: `${registry.host}/team/app: the registry does not list ${sbom.descriptor.digest} among the referrers of ${digest}, though they were pushed 6 times`,
      hint: expect.stringContaining(`oci-publish discover ${registry.host}/team/app@${digest}`) as string,
    })
    expect(pushesOf(registry, sbom)).toBe(6)
    expect(waits.reduce((sum, waitMs) => sum + waitMs, 0)).toBeLessThan(30_000)
    await target.close?.()
    expect(listedIn(registry)).toEqual([sbom.descriptor.digest])
  })

  test('is kept under the tag where the registry, asked again, no longer says that it lists it', async () => {
    await using registry = await startSpecRegistry({ subjectHeader: false })
    await using earlier = clientOf(registry)
    await push(earlier.open('team/app'), subject, sbom)
    registry.unlist('team/app', sbom.descriptor.digest)
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await push(target, sbom)
    registry.unlist('team/app', sbom.descriptor.digest)
    await target.close?.()
    expect(underTag(registry).map(({ digest }) => digest)).toEqual([sbom.descriptor.digest])
  })
})

test.each([
  ['sha256', `sha256:${'a'.repeat(64)}`, `sha256-${'a'.repeat(64)}`],
  ['sha512, cut to the length of a tag', `sha512:${'b'.repeat(128)}`, `sha512-${'b'.repeat(64)}`],
])('the tag of a %s subject is the one that other clients look for', (_name, digest, tag) => {
  expect(referrersTag(parseDigest(digest))).toBe(tag)
})

describe('referrerOf()', () => {
  const { descriptor } = subject
  const read = (value: unknown): ReturnType<typeof referrerOf> =>
    referrerOf(descriptor, new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)))

  test.each([
    ['the type of the artifact', { artifactType: 'a/b', config: { mediaType: 'c/d' } }, 'a/b'],
    ['that of the config where there is none', { config: { mediaType: 'c/d' } }, 'c/d'],
    ['that of the config where it is empty', { artifactType: '', config: { mediaType: 'c/d' } }, 'c/d'],
    ['none for an index without one', { manifests: [] }, undefined],
  ])('gives %s', (_name, more, artifactType) => {
    expect(read({ subject: descriptor, ...more })).toEqual({
      subject: descriptor.digest,
      descriptor: { ...descriptor, ...(artifactType !== undefined && { artifactType }) },
    })
  })

  test.each([
    ['refers to nothing', { config: { mediaType: 'c/d' } }],
    ['has a subject that is none', { subject: { digest: 'x' } }],
    ['is no JSON', '<html>'],
    ['is no object', '[]'],
  ])('finds nothing in what %s', (_name, value) => {
    expect(read(value)).toBeUndefined()
  })
})
