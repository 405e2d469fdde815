import { bytesBlob, type Blob } from '../../src/content/blob.ts'
import { readAll } from '../../src/content/verify.ts'
import { annotationsFor, type AnnotationRule } from '../../src/image/annotations.ts'
import { compose } from '../../src/image/compose.ts'
import { assemble, type Image, type ImageLayer } from '../../src/image/image.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { toDocument } from '../../src/oci/manifest.ts'
import {
  DOCKER_CONFIG,
  DOCKER_INDEX,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../../src/oci/media-type.ts'
import { parsePlatform, type Platform } from '../../src/oci/platform.ts'

const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip'
const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
const platform = parsePlatform('linux/amd64')
const diffID = digestOf(Buffer.from('tar'))

async function read(blob: Blob): Promise<unknown> {
  return JSON.parse(Buffer.from(await readAll(blob.open(), { maxBytes: 1 << 20, what: 'it' })).toString())
}

function layer(mediaType: string, more: object = {}): ImageLayer {
  const bytes = Buffer.from(mediaType)
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength, ...more }
  return { blob: bytesBlob({ bytes, descriptor }), diffID, origin: 'base' }
}

const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffID] } } as const

describe('assemble()', () => {
  const image = (family: 'oci' | 'docker', layers: readonly ImageLayer[], annotations = {}): Image =>
    assemble({ platform, config, layers, annotations, family })

  test.each([
    ['oci', OCI_MANIFEST, OCI_CONFIG, OCI_LAYER],
    ['docker', DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER],
  ] as const)('all documents and layers are of family %s: some registries refuse a mix', async (family, ...types) => {
    const [mediaType, configType, layerType] = types
    const made = image(family, [layer(OCI_LAYER), layer(DOCKER_LAYER)])
    expect(made.manifest.descriptor.mediaType).toBe(mediaType)
    expect(await read(made.manifest)).toEqual({
      schemaVersion: 2,
      mediaType,
      config: { ...made.config.descriptor, mediaType: configType },
      layers: [OCI_LAYER, DOCKER_LAYER].map(one => ({
        mediaType: layerType,
        digest: digestOf(Buffer.from(one)),
        size: one.length,
      })),
    })
    expect(await read(made.config)).toEqual(config)
    expect(made).toMatchObject({ platform, layers: [{ origin: 'base' }, { origin: 'base' }] })
  })

  test('annotations stand on the manifest', async () => {
    expect(await read(image('oci', [], { a: '1' }).manifest)).toMatchObject({ annotations: { a: '1' } })
    expect(await read(image('oci', []).manifest)).not.toHaveProperty('annotations')
  })

  test('a layer of the base keeps its annotations in the family that has room for them, and its urls in both', async () => {
    const said = { annotations: { toc: 'x' }, urls: ['https://example.com/layer'] }
    const layers = [layer(FOREIGN, { ...said, data: 'eA==' })]
    const [mediaType, digest, size] = [FOREIGN, digestOf(Buffer.from(FOREIGN)), FOREIGN.length]
    expect(await read(image('oci', layers).manifest)).toMatchObject({ layers: [{ mediaType, digest, size, ...said }] })
    const { layers: docker } = (await read(image('docker', layers).manifest)) as { readonly layers: unknown }
    expect(docker).toEqual([{ mediaType, digest, size, urls: said.urls }])
  })
})

describe('compose()', () => {
  const manifestOf = (of: string): Image => ({
    ...assemble({ platform, config, layers: [], annotations: {}, family: 'oci' }),
    platform: parsePlatform(of),
    manifest: bytesBlob(toDocument(OCI_MANIFEST, { of })),
  })
  const images = ['linux/arm64', 'linux/amd64'].map(manifestOf)

  test.each([
    ['oci', OCI_INDEX],
    ['docker', DOCKER_INDEX],
  ] as const)('an index of family %s has the images in the order of the user', async (family, mediaType) => {
    const index = compose({ images, annotations: {}, entryAnnotations: () => ({}), family })
    expect(index.descriptor.mediaType).toBe(mediaType)
    expect(await read(index)).toEqual({
      schemaVersion: 2,
      mediaType,
      manifests: images.map(one => ({ ...one.manifest.descriptor, platform: one.platform })),
    })
  })

  test('annotations stand on the index and on the entry that they are for', async () => {
    const entryAnnotations = ({ architecture }: Platform): Record<string, string> =>
      architecture === 'arm64' ? { entry: architecture } : {}
    const index = await read(compose({ images, annotations: { a: '1' }, entryAnnotations, family: 'oci' }))
    expect(index).toMatchObject({ annotations: { a: '1' }, manifests: [{ annotations: { entry: 'arm64' } }, {}] })
    expect((index as { readonly manifests: readonly object[] }).manifests[1]).not.toHaveProperty('annotations')
  })
})

describe('annotationsFor()', () => {
  const rule = (key: string, more: Partial<AnnotationRule> = {}): AnnotationRule => ({
    ...{ levels: ['manifest'], platform: undefined, key, value: key },
    ...more,
  })

  test('a rule is for its levels, and for its platform', () => {
    const arm64 = parsePlatform('linux/arm64')
    const rules = [rule('a'), rule('b', { levels: ['index', 'manifest'] }), rule('c', { platform: arm64 })]
    expect(annotationsFor(rules, 'index')).toEqual({ b: 'b' })
    expect(annotationsFor(rules, 'manifest', platform)).toEqual({ a: 'a', b: 'b' })
    expect(annotationsFor(rules, 'manifest', { ...arm64, variant: 'v8' })).toEqual({ a: 'a', b: 'b', c: 'c' })
    expect(annotationsFor(rules, 'manifest')).toEqual({ a: 'a', b: 'b' })
    expect(annotationsFor(rules, 'manifest-descriptor')).toEqual({})
  })

  test('the later of two rules of one key wins', () => {
    expect(annotationsFor([rule('a'), rule('a', { value: '2' })], 'manifest')).toEqual({ a: '2' })
  })
})
