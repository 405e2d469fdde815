import { bare } from '../../src/oci/descriptor.ts'
import { parseImageConfig } from '../../src/oci/image-config.ts'
import { isAttestation, parseImageIndex } from '../../src/oci/image-index.ts'
import { parseManifest, toDocument } from '../../src/oci/manifest.ts'
import { DOCKER_INDEX, DOCKER_MANIFEST, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { digestOf } from '../../src/oci/digest.ts'

const digest = `sha256:${'0'.repeat(64)}`
const descriptor = { mediaType: 'application/octet-stream', digest, size: 1 }
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))

describe('parseManifest()', () => {
  test('tells every problem of a document with its path, so that one look mends it', () => {
    const broken = { schemaVersion: 2, config: { ...descriptor, size: -1 }, layers: [{ ...descriptor, digest: 'x' }] }
    expect(() => parseManifest(bytes(broken), 'app@v1')).toThrow(
      'app@v1: config.size is negative; layers.0.digest is not a digest such as sha256:<64 hex>',
    )
  })

  test('an early OCI manifest without mediaType is what the registry says it is', () => {
    const manifest = parseManifest(bytes({ schemaVersion: 2, config: descriptor, layers: [] }), 'it', OCI_MANIFEST)
    expect(manifest.mediaType).toBe(OCI_MANIFEST)
  })

  test('CVE-2021-41190: a manifest that claims another type than the registry says is refused', () => {
    const twoFaced = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: descriptor, layers: [] }
    expect(() => parseManifest(bytes(twoFaced), 'it', DOCKER_MANIFEST)).toThrow('expected')
    expect(() => parseImageIndex(bytes({ ...twoFaced, manifests: [] }), 'it')).toThrow('expected')
  })

  test('what is not JSON says so', () => {
    expect(() => parseManifest(Buffer.from('<html>'), 'it')).toThrow('it: not JSON')
  })

  test('null annotations, which some builders write, are none', () => {
    const manifest = parseManifest(bytes({ schemaVersion: 2, config: descriptor, layers: [], annotations: null }), 'it')
    expect(manifest).not.toHaveProperty('annotations')
  })
})

describe('null, which Go writes for an empty list,', () => {
  const written = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: descriptor, layers: null }

  test('is an index without manifests, so that a registry in Go whose subject has no referrers can be signed at', () => {
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: null }
    expect(parseImageIndex(bytes(index), 'it')).toEqual({ ...index, manifests: [] })
  })

  test('is a manifest without layers, and a config without diffIDs', () => {
    expect(parseManifest(bytes(written), 'it')).toEqual({ ...written, layers: [] })
    const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: null }, history: null }
    expect(parseImageConfig(bytes(config), 'it').rootfs.diff_ids).toEqual([])
  })

  test('is not a list that is missing: that is no manifest and no index', () => {
    expect(() => parseManifest(bytes({ ...written, layers: undefined }), 'it')).toThrow('layers')
    expect(() => parseImageIndex(bytes({ schemaVersion: 2 }), 'it')).toThrow('manifests')
  })
})

describe('parseImageConfig()', () => {
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digest] } }

  test('keeps fields that nobody here knows, at every level', () => {
    const read = parseImageConfig(
      bytes({ ...config, 'x.vendor': 1, config: { Shell: ['sh'], Deep: { Odd: [1] } } }),
      'it',
    )
    expect(read).toMatchObject({ 'x.vendor': 1, config: { Shell: ['sh'], Deep: { Odd: [1] } } })
  })

  test('a null field equals an absent one', () => {
    const read = parseImageConfig(bytes({ ...config, history: null, config: { Cmd: null, Env: ['A=1'] } }), 'it')
    expect(read).toEqual({ ...config, config: { Env: ['A=1'] } })
  })

  test('a diffID that is no digest is refused', () => {
    expect(() => parseImageConfig(bytes({ ...config, rootfs: { type: 'layers', diff_ids: ['x'] } }), 'it')).toThrow(
      'rootfs.diff_ids.0 is not a digest',
    )
  })
})

test('attestation children are known by their platform or their annotation', () => {
  const index = parseImageIndex(
    bytes({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [
        { ...descriptor, platform: { os: 'unknown', architecture: 'unknown' } },
        { ...descriptor, annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } },
        { ...descriptor, platform: { os: 'linux', architecture: 'amd64' } },
      ],
    }),
    'it',
  )
  expect(index.manifests.map(isAttestation)).toEqual([true, true, false])
})

test('the descriptor of a document is that of its bytes', () => {
  const document = toDocument(OCI_CONFIG, { a: 1 })
  expect(document.descriptor).toEqual({
    mediaType: OCI_CONFIG,
    digest: digestOf(document.bytes),
    size: document.bytes.byteLength,
  })
})

// A field of the wrong type is found here, at the edge; further in, everybody relies on the types.
const LINUX = { os: 'linux', architecture: 'arm64', variant: 'v8', 'os.version': '1', 'os.features': ['x'] }
const FULL = {
  ...descriptor,
  urls: ['https://example.com/'],
  annotations: { a: '1' },
  data: 'eA==',
  artifactType: 'application/x',
  platform: LINUX,
}
const CONFIG = {
  created: '2024-01-01T00:00:00Z',
  author: 'somebody',
  architecture: 'arm64',
  os: 'linux',
  variant: 'v8',
  'os.version': '1',
  'os.features': ['x'],
  config: {
    User: 'app',
    ExposedPorts: { '80/tcp': {} },
    Env: ['A=1'],
    Entrypoint: ['/app'],
    Cmd: ['-v'],
    Volumes: { '/data': {} },
    WorkingDir: '/',
    Labels: { a: '1' },
    StopSignal: 'SIGINT',
    Healthcheck: { Test: ['CMD', 'true'] },
  },
  rootfs: { type: 'layers', diff_ids: [digest] },
  history: [{ created: '2024-01-01T00:00:00Z', created_by: 'x', author: 'y', comment: 'z', empty_layer: true }],
}
const index = (one: unknown, more: object = {}): unknown =>
  parseImageIndex(bytes({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [one], ...more }), 'it')
const manifestOf = (more: object): unknown =>
  parseManifest(bytes({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: descriptor, layers: [], ...more }), 'it')

describe('every field is kept as it came', () => {
  test('of a descriptor, and of the document around it', () => {
    const more = { artifactType: 'application/y', subject: FULL, annotations: { b: '2' } }
    expect(index(FULL, more)).toEqual({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [FULL], ...more })
    const documents = { config: FULL, layers: [FULL], ...more }
    expect(manifestOf(documents)).toEqual({ schemaVersion: 2, mediaType: OCI_MANIFEST, ...documents })
  })

  test('of a config', () => {
    expect(parseImageConfig(bytes(CONFIG), 'it')).toEqual(CONFIG)
  })
})

describe('a field of the wrong type is refused by its name', () => {
  const wrong = (fields: object): [string, unknown][] =>
    Object.keys(fields).map(name => [name, name === 'empty_layer' || name === 'size' ? 'x' : 7])

  test.each([...wrong(FULL), ['mediaType', ''], ['size', 1.5], ['size', -1], ['size', 2 ** 53]])(
    '%s of a descriptor as %j',
    (name, value) => {
      expect(() => index({ ...FULL, [name]: value })).toThrow(`it: manifests.0.${name} `)
    },
  )

  test.each([
    ['annotations', { a: 1 }],
    ['urls', [1]],
    ['platform', { os: 'linux' }],
  ])('what is within %s of a descriptor', (name, value) => {
    expect(() => index({ ...FULL, [name]: value })).toThrow(`manifests.0.${name}.`)
  })

  test.each(wrong(LINUX))('%s of a platform', (name, value) => {
    expect(() => index({ ...FULL, platform: { ...LINUX, [name]: value } })).toThrow('manifests.0.platform.')
  })

  test.each(['mediaType', 'digest', 'size'])('%s of a descriptor cannot be left out', name => {
    expect(() => index({ ...descriptor, [name]: undefined })).toThrow(`manifests.0.${name} `)
  })

  test.each([
    ['schemaVersion', 1],
    ['mediaType', 7],
    ['artifactType', 7],
    ['subject', {}],
    ['annotations', { a: 1 }],
  ])('%s of an index and of a manifest', (name, value) => {
    expect(() => index(descriptor, { [name]: value })).toThrow(`it: ${name}`)
    expect(() => manifestOf({ [name]: value })).toThrow(`it: ${name}`)
  })

  test.each(Object.keys(CONFIG).filter(name => name !== 'author'))('%s of a config', name => {
    expect(() => parseImageConfig(bytes({ ...CONFIG, [name]: 7 }), 'it')).toThrow(`it: ${name} `)
  })

  test.each(['architecture', 'os', 'rootfs'])('%s of a config cannot be left out', name => {
    expect(() => parseImageConfig(bytes({ ...CONFIG, [name]: undefined }), 'it')).toThrow(`it: ${name} `)
  })

  test.each(wrong(CONFIG.config))('config.%s of a config', (name, value) => {
    const config = { ...CONFIG.config, [name]: value }
    expect(() => parseImageConfig(bytes({ ...CONFIG, config }), 'it')).toThrow(`it: config.${name}`)
  })

  test.each([
    ['Env', [1]],
    ['Labels', { a: 1 }],
    ['ExposedPorts', { '80/tcp': 1 }],
    ['Healthcheck', { Test: 'true' }],
  ])('what is within config.%s of a config', (name, value) => {
    const config = { ...CONFIG.config, [name]: value }
    expect(() => parseImageConfig(bytes({ ...CONFIG, config }), 'it')).toThrow(`it: config.${name}.`)
  })

  test.each(wrong(CONFIG.history[0] ?? {}))('%s of an entry of history', (name, value) => {
    const history = [{ ...CONFIG.history[0], [name]: value }]
    expect(() => parseImageConfig(bytes({ ...CONFIG, history }), 'it')).toThrow(`it: history.0.${name}`)
  })

  test.each([
    [{ type: 'files', diff_ids: [digest] }, 'rootfs.type'],
    [{ diff_ids: [digest] }, 'rootfs.type'],
    [{ type: 'layers' }, 'rootfs.diff_ids'],
    [{ type: 'layers', diff_ids: [7] }, 'rootfs.diff_ids.0'],
  ])('rootfs of a config as %j', (rootfs, path) => {
    expect(() => parseImageConfig(bytes({ ...CONFIG, rootfs }), 'it')).toThrow(`it: ${path} `)
  })

  test('a null within a list or a map of a config is no value either', () => {
    expect(parseImageConfig(bytes({ ...CONFIG, 'x.vendor': [{ a: null, b: 1 }] }), 'it')['x.vendor']).toEqual([
      { b: 1 },
    ])
  })
})

describe('what a document is', () => {
  test.each([OCI_MANIFEST, DOCKER_MANIFEST])('%s is a manifest, not an index', mediaType => {
    const manifest = { schemaVersion: 2, mediaType, config: descriptor, layers: [] }
    expect(parseManifest(bytes(manifest), 'it', mediaType).mediaType).toBe(mediaType)
    expect(() => parseImageIndex(bytes({ ...manifest, manifests: [] }), 'it', mediaType)).toThrow(
      `it: says "${mediaType}", expected "${mediaType}"`,
    )
  })

  test.each([OCI_INDEX, DOCKER_INDEX])('%s is an index, not a manifest', mediaType => {
    const value = { schemaVersion: 2, mediaType, manifests: [] }
    expect(parseImageIndex(bytes(value), 'it', mediaType).mediaType).toBe(mediaType)
    expect(() => parseManifest(bytes({ ...value, config: descriptor, layers: [] }), 'it', mediaType)).toThrow('says')
  })

  test('an index that does not say its type is what the registry says it is', () => {
    expect(parseImageIndex(bytes({ schemaVersion: 2, manifests: [] }), 'it').mediaType).toBe(OCI_INDEX)
    expect(() => parseImageIndex(bytes({ schemaVersion: 2, mediaType: DOCKER_INDEX, manifests: [] }), 'it')).toThrow(
      `says "${DOCKER_INDEX}", expected "${OCI_INDEX}"`,
    )
  })
})

test('a platform that is half unknown is an attestation, too', () => {
  for (const platform of [
    { os: 'unknown', architecture: 'amd64' },
    { os: 'linux', architecture: 'unknown' },
  ]) {
    expect(isAttestation({ mediaType: OCI_MANIFEST, digest: digestOf(Buffer.from('')), size: 1, platform })).toBe(true)
  }
  expect(isAttestation({ mediaType: OCI_MANIFEST, digest: digestOf(Buffer.from('')), size: 1 })).toBe(false)
})

test('a descriptor without what is said about it identifies the same content', () => {
  const { mediaType, size } = descriptor
  const full = { ...FULL, digest: digestOf(Buffer.from('')) }
  expect(bare(full)).toEqual({ mediaType, digest: full.digest, size })
})

test('a document of ours is written in one way, on which its digest rests', () => {
  expect(Buffer.from(toDocument(OCI_CONFIG, { b: 1, a: [] }).bytes).toString()).toBe('{\n  "b": 1,\n  "a": []\n}')
})
