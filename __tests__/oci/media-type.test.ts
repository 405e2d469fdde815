import {
  inFamily,
  isIndexType,
  isManifestType,
  isNondistributable,
  layerCompression,
  layerMediaType,
} from '../../src/oci/media-type.ts'

const OCI = 'application/vnd.oci.image'
const DOCKER = 'application/vnd.docker'

// What is the same in both families: the names are written out, because registries and readers compare them.
const PAIRS = [
  [`${OCI}.index.v1+json`, `${DOCKER}.distribution.manifest.list.v2+json`],
  [`${OCI}.manifest.v1+json`, `${DOCKER}.distribution.manifest.v2+json`],
  [`${OCI}.config.v1+json`, `${DOCKER}.container.image.v1+json`],
  [`${OCI}.layer.v1.tar`, `${DOCKER}.image.rootfs.diff.tar`],
  [`${OCI}.layer.v1.tar+gzip`, `${DOCKER}.image.rootfs.diff.tar.gzip`],
  [`${OCI}.layer.v1.tar+zstd`, `${DOCKER}.image.rootfs.diff.tar.zstd`],
] as const

test.each(PAIRS)('%s in the family of Docker is %s, and the other way round', (oci, docker) => {
  expect(inFamily(oci, 'docker')).toBe(docker)
  expect(inFamily(docker, 'oci')).toBe(oci)
  expect(inFamily(oci, 'oci')).toBe(oci)
  expect(inFamily(docker, 'docker')).toBe(docker)
})

test.each(['application/vnd.cncf.helm.config.v1+json', `${OCI}.layer.nondistributable.v1.tar`])(
  '%s, which exists once, stays as it is',
  mediaType => {
    expect(inFamily(mediaType, 'docker')).toBe(mediaType)
    expect(inFamily(mediaType, 'oci')).toBe(mediaType)
  },
)

const TYPES = PAIRS.flat()
const [ociIndex, dockerIndex] = PAIRS[0]
const [ociManifest, dockerManifest] = PAIRS[1]

test('only indexes have manifests to follow, and only indexes and manifests are served as manifests', () => {
  expect(TYPES.filter(isIndexType)).toEqual([ociIndex, dockerIndex])
  expect(TYPES.filter(isManifestType)).toEqual([ociIndex, dockerIndex, ociManifest, dockerManifest])
})

test.each([
  [`${OCI}.layer.v1.tar`, 'none'],
  [`${OCI}.layer.v1.tar+gzip`, 'gzip'],
  [`${OCI}.layer.v1.tar+zstd`, 'zstd'],
  [`${DOCKER}.image.rootfs.diff.tar`, 'none'],
  [`${DOCKER}.image.rootfs.diff.tar.gzip`, 'gzip'],
  [`${DOCKER}.image.rootfs.diff.tar.zstd`, 'zstd'],
] as const)('%s is read as a layer with compression %s', (mediaType, compression) => {
  expect(layerCompression(mediaType)).toBe(compression)
  expect(layerMediaType(mediaType.startsWith(OCI) ? 'oci' : 'docker', compression)).toBe(mediaType)
})

test('a config, and a layer with something behind its type, is no layer that we know', () => {
  for (const other of [PAIRS[2][0], `${OCI}.layer.v1.tar+gzip+encrypted`, '']) {
    expect(layerCompression(other)).toBeUndefined()
  }
})

test.each([
  [`${OCI}.layer.nondistributable.v1.tar+gzip`, true],
  [`${DOCKER}.image.rootfs.foreign.diff.tar.gzip`, true],
  [`${OCI}.layer.v1.tar+gzip`, false],
  [`${DOCKER}.image.rootfs.diff.tar.gzip`, false],
])('whether only its publisher may serve %s: %s', (mediaType, expected) => {
  expect(isNondistributable(mediaType)).toBe(expected)
})
