import { bytesBlob } from '../../src/content/blob.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import { readImages, resolveBase } from '../../src/image/base.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { toDocument, type Document } from '../../src/oci/manifest.ts'
import {
  DOCKER_INDEX,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
  layerMediaType,
} from '../../src/oci/media-type.ts'
import { formatPlatform, parsePlatform, type Platform } from '../../src/oci/platform.ts'

class Images {
  readonly store = new MemoryStore('example.org/base')

  async put(document: Document): Promise<Descriptor> {
    await this.store.push(bytesBlob(document))
    return document.descriptor
  }

  async image(platform: Platform, { mediaType = OCI_MANIFEST, layers = 1 } = {}): Promise<Descriptor> {
    const blob = Buffer.from(`layer of ${formatPlatform(platform)}`)
    const layer = { mediaType: layerMediaType('oci', 'gzip'), digest: digestOf(blob), size: blob.byteLength }
    const config = await this.put(
      toDocument(OCI_CONFIG, { ...platform, rootfs: { type: 'layers', diff_ids: [layer.digest] } }),
    )
    return this.put(toDocument(mediaType, { schemaVersion: 2, mediaType, config, layers: Array(layers).fill(layer) }))
  }

  async index(manifests: readonly object[], mediaType = OCI_INDEX): Promise<Descriptor> {
    return this.put(toDocument(mediaType, { schemaVersion: 2, mediaType, manifests }))
  }

  async of(...specifiers: readonly string[]): Promise<Descriptor[]> {
    const platforms = specifiers.map(parsePlatform)
    return Promise.all(platforms.map(async platform => ({ ...(await this.image(platform)), platform })))
  }
}

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
