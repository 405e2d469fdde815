import { parseImageConfig } from '../../src/oci/image-config.ts'
import { isAttestation, parseImageIndex } from '../../src/oci/image-index.ts'
import { parseManifest, toDocument } from '../../src/oci/manifest.ts'
import { DOCKER_MANIFEST, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-type.ts'
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
