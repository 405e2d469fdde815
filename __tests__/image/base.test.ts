import { namedLayers, readImages, resolveBase } from '../../src/image/base.ts'
import { readAll } from '../../src/content/verify.ts'
import type { MemoryStore } from '../../src/content/memory.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { toDocument } from '../../src/oci/manifest.ts'
import { DOCKER_INDEX, DOCKER_MANIFEST, OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { formatPlatform, parsePlatform } from '../../src/oci/platform.ts'
import { Images } from './images.ts'

const chosen = async (
  store: MemoryStore,
  root: Descriptor,
  ...platforms: readonly string[]
): Promise<readonly string[]> =>
  (await resolveBase(store, root.digest, platforms.map(parsePlatform))).bases.map(({ platform }) =>
    formatPlatform(platform),
  )

describe('resolveBase()', () => {
  test('each platform gets its own child, in the order asked for', async () => {
    const images = new Images()
    const root = await images.index(await images.of('linux/amd64', 'linux/arm64', 'linux/arm/v7'))
    const base = await resolveBase(images.store, root.digest, ['linux/arm64', 'linux/amd64'].map(parsePlatform))
    expect(base.root.digest).toBe(root.digest)
    expect(base.bases.map(({ config }) => config.architecture)).toEqual(['arm64', 'amd64'])
  })

  test('an index of indexes of indexes is left at 2,000 entries, however shallow and small they are', async () => {
    const images = new Images()
    let last = (await images.of('linux/amd64'))[0]
    for (let depth = 0; depth < 4; depth++) last = await images.index(Array<object>(50).fill(last ?? {}))
    await expect(chosen(images.store, last ?? (await images.index([])), 'linux/amd64')).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('more than 2,000 manifests in one index and the indexes within it') as string,
    })
  })

  test('an index of thousands of indexes is given up without parsing each of them', async () => {
    const images = new Images()
    const [one] = await images.of('linux/amd64')
    const nested = await images.index(Array<object>(1900).fill(one ?? {}))
    const root = await images.index(Array<object>(1900).fill(nested))
    await expect(chosen(images.store, root, 'linux/amd64')).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  test('an error about platforms names some of thousands', async () => {
    const images = new Images()
    const [one] = await images.of('linux/amd64')
    const root = await images.index(
      Array.from({ length: 500 }, (_, i) => ({ ...one, platform: { os: 'linux', architecture: `a${i}` } })),
    )
    const error = await chosen(images.store, root, 'linux/arm64').catch((reason: unknown) => reason)
    expect((error as Error).message.length).toBeLessThan(1500)
  })

  test('a lower variant stands in, another architecture never does', async () => {
    const images = new Images()
    const root = await images.index(await images.of('linux/arm/v6', 'linux/386', 'linux/arm64'))
    expect(await chosen(images.store, root, 'linux/arm/v7')).toEqual(['linux/arm/v6'])
    await expect(chosen(images.store, root, 'linux/amd64', 'linux/arm/v5')).rejects.toThrow(
      `lacks linux/amd64 and linux/arm/v5; it has linux/arm/v6, linux/386, linux/arm64`,
    )
  })

  test.each(['v8', undefined])('arm64 with variant %s is found, as older builders write it', async variant => {
    const images = new Images()
    const platform = { os: 'linux', architecture: 'arm64', ...(variant !== undefined && { variant }) }
    const root = await images.index([{ ...(await images.image(platform)), platform }])
    expect(await chosen(images.store, root, 'linux/arm64')).toEqual(['linux/arm64'])
  })

  test('attestations, unknown kinds of entries and nesting do not confuse it', async () => {
    const images = new Images()
    const [amd64, arm64] = await images.of('linux/amd64', 'linux/arm64')
    const attestation = { ...amd64, platform: { os: 'unknown', architecture: 'unknown' } }
    const strange = { ...amd64, mediaType: 'application/vnd.example.thing' }
    const nested = await images.index([arm64 ?? {}, attestation])
    const root = await images.index([strange, attestation, nested, amd64 ?? {}])
    expect(await chosen(images.store, root, 'linux/amd64', 'linux/arm64')).toEqual(['linux/amd64', 'linux/arm64'])
  })

  test.each([
    ['an OCI image', OCI_MANIFEST],
    ["Docker's image", DOCKER_MANIFEST],
  ])('%s without an index is for the platform that its config names', async (_name, mediaType) => {
    const images = new Images()
    const root = await images.image(parsePlatform('linux/amd64'), { mediaType })
    expect(await chosen(images.store, root, 'linux/amd64')).toEqual(['linux/amd64'])
    await expect(chosen(images.store, root, 'linux/arm64')).rejects.toThrow('lacks linux/arm64; it has linux/amd64')
  })

  test("Docker's manifest list is read as an index", async () => {
    const images = new Images()
    const platform = parsePlatform('linux/amd64')
    const child = { ...(await images.image(platform, { mediaType: DOCKER_MANIFEST })), platform }
    const root = await images.index([child], DOCKER_INDEX)
    expect(await chosen(images.store, root, 'linux/amd64')).toEqual(['linux/amd64'])
  })

  test('os.version of the base travels along', async () => {
    const images = new Images()
    const platform = { os: 'linux', architecture: 'amd64', 'os.version': '6.1' }
    const root = await images.index([{ ...(await images.image(platform)), platform }])
    const { bases } = await resolveBase(images.store, root.digest, [parsePlatform('linux/amd64')])
    expect(bases[0]?.platform).toEqual(platform)
  })

  test('a base whose config does not tell of every layer is refused, or diffIDs would belong to other layers', async () => {
    const images = new Images()
    const root = await images.image(parsePlatform('linux/amd64'), { layers: 2 })
    await expect(chosen(images.store, root, 'linux/amd64')).rejects.toThrow('2 layers, but 1 diffIDs')
  })

  test('the first of two that fit is taken, as other readers do', async () => {
    const images = new Images()
    const [first] = await images.of('linux/amd64')
    const second = { ...(await images.image({ ...parsePlatform('linux/amd64'), 'os.version': '2' })) }
    const root = await images.index([first ?? {}, { ...second, platform: parsePlatform('linux/amd64') }])
    const { bases } = await resolveBase(images.store, root.digest, [parsePlatform('linux/amd64')])
    expect(bases.map(({ manifest }) => manifest.digest)).toEqual([first?.digest])
  })

  test('indexes nest eight deep, and no deeper: a reader would not end', async () => {
    const images = new Images()
    const [image = { digest: digestOf(Buffer.from('')), mediaType: '', size: 0 }] = await images.of('linux/amd64')
    expect(await chosen(images.store, await images.nested(image, 8), 'linux/amd64')).toEqual(['linux/amd64'])
    const deep = chosen(images.store, await images.nested(image, 9), 'linux/amd64')
    await expect(deep).rejects.toMatchObject({
      code: 'INVALID_DOCUMENT',
      message: expect.stringMatching(/^example.org\/base@sha256:[0-9a-f]{64}: indexes nest too deep$/) as string,
    })
  })

  test('a base of attestations only has nothing to run, and says what to do', async () => {
    const images = new Images()
    const [image] = await images.of('linux/amd64')
    const root = await images.index([{ ...image, platform: { os: 'unknown', architecture: 'unknown' } }])
    await expect(chosen(images.store, root, 'linux/amd64')).rejects.toMatchObject({
      code: 'BASE_LACKS_PLATFORM',
      message: `the base image example.org/base (${root.digest}) lacks linux/amd64; it has nothing to run`,
      hint: expect.stringContaining('platforms') as string,
    })
  })

  test('a platform that the index leaves out is read from the config, normalised', async () => {
    const images = new Images()
    const root = await images.index([await images.image({ os: 'linux', architecture: 'aarch64', variant: 'v8' })])
    expect(await chosen(images.store, root, 'linux/arm64')).toEqual(['linux/arm64'])
  })

  test('every document is downloaded once, whatever is asked of it, and can be given up', async () => {
    const images = new Images()
    const root = await images.index([await images.image(parsePlatform('linux/amd64'))])
    const opened: string[] = []
    const signals = new Set<unknown>()
    const { signal } = new AbortController()
    const source = {
      place: images.store.place,
      resolve: (name: string, options?: { signal?: AbortSignal | undefined }) => {
        signals.add(options?.signal)
        return images.store.resolve(name)
      },
      open: (descriptor: Descriptor, options?: { signal?: AbortSignal | undefined }) => {
        opened.push(descriptor.digest)
        signals.add(options?.signal)
        return images.store.open(descriptor)
      },
    }
    await resolveBase(source, root.digest, [parsePlatform('linux/amd64')], { signal })
    expect(opened).toHaveLength(3)
    expect(new Set(opened).size).toBe(3)
    expect(signals).toEqual(new Set([signal]))
    await readImages(source, root, { signal })
    expect(opened).toHaveLength(6)
    expect(signals).toEqual(new Set([signal]))
  })

  test('layers are opened where the base is, from any offset', async () => {
    const images = new Images()
    const root = await images.image(parsePlatform('linux/amd64'))
    const { bases } = await resolveBase(images.store, root.digest, [parsePlatform('linux/amd64')])
    const bytes = Buffer.from('layer of linux/amd64')
    const descriptor = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digestOf(bytes), size: 20 }
    await images.put({ ...toDocument(descriptor.mediaType, {}), descriptor, bytes })
    const [layer] = bases[0]?.layers ?? []
    expect(layer?.descriptor).toEqual(descriptor)
    if (!layer) throw new Error('there is a layer')
    const read = await readAll(layer.open({ offset: 9 }), { maxBytes: 20, what: 'layer' })
    expect(Buffer.from(read).toString()).toBe('linux/amd64')
  })

  test('a reference that stands for nothing says NOT_FOUND', async () => {
    await expect(resolveBase(new Images().store, 'v1', [])).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

test('readImages() gives every image to run', async () => {
  const images = new Images()
  const root = await images.index(await images.of('linux/amd64', 'linux/arm64'))
  expect((await readImages(images.store, root)).map(({ platform }) => formatPlatform(platform))).toEqual([
    'linux/amd64',
    'linux/arm64',
  ])
})

test('each layer has the diffID of its place, and a layer without one is left out', async () => {
  const images = new Images()
  const [base] = await readImages(images.store, await images.image(parsePlatform('linux/amd64')))
  if (!base) throw new Error('there is an image')
  const [layer] = base.layers
  const diffID = digestOf(Buffer.from('layer of linux/amd64'))
  expect(namedLayers(base)).toEqual([{ blob: layer, diffID }])
  expect(namedLayers({ ...base, layers: [...base.layers, ...base.layers] })).toEqual([{ blob: layer, diffID }])
})
