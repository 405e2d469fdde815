import { documentOf, imagesOf, inspect, type Inspected } from '../../src/image/inspect.ts'
import { bare, type Descriptor } from '../../src/oci/descriptor.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { toDocument } from '../../src/oci/manifest.ts'
import { DOCKER_CONFIG, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { formatPlatform, parsePlatform } from '../../src/oci/platform.ts'
import { Images } from './images.ts'

const EMPTY = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 }
const UNKNOWN = { os: 'unknown', architecture: 'unknown' }

const manifest = (more: object): ReturnType<typeof toDocument> =>
  toDocument(OCI_MANIFEST, { schemaVersion: 2, mediaType: OCI_MANIFEST, config: EMPTY, layers: [], ...more })
const platforms = (found: Inspected): readonly string[] =>
  imagesOf(found).map(({ platform }) => formatPlatform(platform))

describe('inspect()', () => {
  test('an index is told as it is: its images, attestations, what is missing, and what is neither', async () => {
    const images = new Images()
    const [amd64, arm64] = await images.of('linux/amd64', 'linux/arm64')
    const layers = [
      { ...EMPTY, annotations: { 'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v1' } },
      { ...EMPTY, annotations: { other: 'x' } },
      EMPTY,
    ]
    const attested = {
      ...(await images.put(manifest({ layers }))),
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': amd64?.digest ?? '',
      },
      platform: UNKNOWN,
    }
    const strange = { ...EMPTY, mediaType: 'application/vnd.example.thing' }
    const lost = { ...EMPTY, mediaType: OCI_MANIFEST }
    const more = { annotations: { a: '1' }, artifactType: 'application/x', subject: EMPTY }
    const root = await images.index([amd64 ?? {}, attested, strange, lost, arm64 ?? {}], OCI_INDEX, more)
    const found = await inspect(images.store, root.digest)
    expect(found).toMatchObject({ kind: 'index', descriptor: root, ...more })
    expect(found.kind === 'index' && found.manifests).toMatchObject([
      { kind: 'image', descriptor: amd64, platform: parsePlatform('linux/amd64'), annotations: {} },
      {
        kind: 'attestation',
        descriptor: attested,
        of: amd64?.digest,
        predicateTypes: ['https://slsa.dev/provenance/v1'],
      },
      { kind: 'other', descriptor: strange },
      { kind: 'missing', descriptor: lost },
      { kind: 'image', descriptor: arm64, platform: parsePlatform('linux/arm64') },
    ])
    expect(platforms(found)).toEqual(['linux/amd64', 'linux/arm64'])
  })

  test('an image is told with all that its documents say', async () => {
    const images = new Images()
    const settings = { os: 'linux', architecture: 'x86_64', rootfs: { type: 'layers', diff_ids: [EMPTY.digest] } }
    for (const mediaType of [OCI_CONFIG, DOCKER_CONFIG]) {
      const config = await images.put(toDocument(mediaType, settings))
      const said = { config, layers: [EMPTY], subject: EMPTY, annotations: { a: '1' } }
      const root = await images.put(manifest(said))
      expect(await inspect(images.store, root.digest)).toEqual({
        ...{ kind: 'image', descriptor: root, platform: parsePlatform('linux/amd64'), settings },
        ...said,
      })
    }
  })

  test.each([
    ['its own type', { artifactType: 'application/x' }, 'application/x'],
    ['the type of its config', {}, EMPTY.mediaType],
  ])('what is nothing to run is an artifact of %s', async (_, more, artifactType) => {
    const images = new Images()
    const root = await images.put(manifest({ subject: EMPTY, annotations: { a: '1' }, layers: [EMPTY], ...more }))
    expect(await inspect(images.store, root.digest)).toEqual({
      ...{ kind: 'artifact', descriptor: root, artifactType, annotations: { a: '1' } },
      ...{ subject: EMPTY, config: EMPTY, layers: [EMPTY] },
    })
  })

  test('an attestation that does not say of what is of nothing', async () => {
    const images = new Images()
    for (const digest of [undefined, 'x']) {
      const annotations = { 'vnd.docker.reference.type': 'x', ...(digest && { 'vnd.docker.reference.digest': digest }) }
      const child = { ...(await images.put(manifest({}))), annotations }
      const found = await inspect(images.store, (await images.index([child])).digest)
      expect(found).toMatchObject({ manifests: [{ kind: 'attestation', of: undefined, predicateTypes: [] }] })
    }
  })

  test('what fails is told, and only what is not there counts as missing', async () => {
    const images = new Images()
    const [child = EMPTY] = await images.of('linux/amd64')
    const root = await images.index([child])
    const source = {
      place: 'here',
      resolve: (name: string) => images.store.resolve(name),
      open: (descriptor: Descriptor) => {
        if (descriptor.digest === child.digest) throw new Error('the disk is on fire')
        return images.store.open(descriptor)
      },
    }
    await expect(inspect(source, root.digest)).rejects.toThrow('the disk is on fire')
  })

  test('indexes nest eight deep and no deeper', async () => {
    const images = new Images()
    const [image = EMPTY] = await images.of('linux/amd64')
    expect(platforms(await inspect(images.store, (await images.nested(image, 8)).digest))).toEqual(['linux/amd64'])
    await expect(inspect(images.store, (await images.nested(image, 9)).digest)).rejects.toMatchObject({
      code: 'INVALID_DOCUMENT',
      message: expect.stringContaining('indexes nest too deep') as string,
    })
  })

  test('two thousand manifests are read, and no more, of all indexes together', async () => {
    const images = new Images()
    const thing = (i: number): object => ({ ...EMPTY, mediaType: 'application/vnd.example.thing', size: i })
    const half = await images.index(Array.from({ length: 1_000 }, (_, i) => thing(i)))
    const rest = await images.index(Array.from({ length: 998 }, (_, i) => thing(i)))
    const full = await inspect(images.store, (await images.index([half, rest])).digest)
    expect(full).toMatchObject({ manifests: [{ manifests: { length: 1_000 } }, { manifests: { length: 998 } }] })
    const more = await images.index(Array.from({ length: 999 }, (_, i) => thing(i)))
    await expect(inspect(images.store, (await images.index([half, more])).digest)).rejects.toMatchObject({
      code: 'TOO_LARGE',
    })
  })

  test('reading can be given up', async () => {
    const images = new Images()
    const root = await images.index(await images.of('linux/amd64'))
    const { signal } = new AbortController()
    const signals: unknown[] = []
    const source = {
      place: 'here',
      resolve: (name: string, options?: { signal?: AbortSignal | undefined }) => {
        signals.push(options?.signal)
        return images.store.resolve(name)
      },
      open: (descriptor: Descriptor, options?: { signal?: AbortSignal | undefined }) => {
        signals.push(options?.signal)
        return images.store.open(descriptor)
      },
    }
    await inspect(source, root.digest, { signal })
    await documentOf(source, root, { signal })
    expect(signals).toEqual(Array(5).fill(signal))
  })
})

describe('inspect() for one platform', () => {
  test('gives its image, or one for a lower variant, and reads no other', async () => {
    const images = new Images()
    const [v6 = EMPTY, arm64 = EMPTY] = await images.of('linux/arm/v6', 'linux/arm64')
    const lost = { ...EMPTY, mediaType: OCI_MANIFEST, platform: parsePlatform('linux/s390x') }
    const attestation = { ...EMPTY, mediaType: OCI_MANIFEST, platform: UNKNOWN }
    const root = await images.index([arm64, lost, attestation, v6])
    const opened: string[] = []
    const source = {
      place: 'here',
      resolve: (name: string) => images.store.resolve(name),
      open: (descriptor: Descriptor) => {
        opened.push(descriptor.digest)
        return images.store.open(descriptor)
      },
    }
    const platform = parsePlatform('linux/arm/v7')
    expect(await inspect(source, root.digest, { platform })).toMatchObject({ kind: 'image', descriptor: v6 })
    expect(opened).toHaveLength(3)
    expect(opened.slice(0, 2)).toEqual([root.digest, v6.digest])
  })

  test('goes by the index where that names a platform, by the config where it does not', async () => {
    const images = new Images()
    const [image] = await images.of('linux/amd64')
    const renamed = { ...image, platform: parsePlatform('linux/arm64') }
    const plain = bare(image ?? EMPTY)
    const root = await images.index([renamed, plain])
    for (const [wanted, at] of [
      ['linux/arm64', renamed],
      ['linux/amd64', plain],
    ] as const) {
      const found = await inspect(images.store, root.digest, { platform: parsePlatform(wanted) })
      expect(found.descriptor).toEqual(at)
    }
  })

  test('says which platforms there are, each once, attestations left out', async () => {
    const images = new Images()
    const [amd64, arm64] = await images.of('linux/amd64', 'linux/arm64')
    const nested = await images.index([arm64 ?? {}])
    const [riscv64 = EMPTY] = await images.of('linux/riscv64')
    const attestation = { ...amd64, annotations: { 'vnd.docker.reference.type': 'x' } }
    const root = await images.index([amd64 ?? {}, amd64 ?? {}, nested, bare(riscv64), attestation])
    await expect(inspect(images.store, root.digest, { platform: parsePlatform('linux/s390x') })).rejects.toMatchObject({
      problems: [
        {
          input: 'platform',
          problem: `example.org/base (${root.digest}) lacks linux/s390x; it has linux/amd64, linux/arm64, linux/riscv64`,
        },
      ],
    })
  })

  test('says so where there is nothing to run', async () => {
    const images = new Images()
    const root = await images.put(manifest({}))
    await expect(inspect(images.store, root.digest, { platform: parsePlatform('linux/amd64') })).rejects.toMatchObject({
      problems: [{ problem: expect.stringContaining('lacks linux/amd64; it has nothing to run') as string }],
    })
  })
})
