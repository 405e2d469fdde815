import { knownLayers, ownLayers } from '../../src/layer/reuse.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { layerMediaType } from '../../src/oci/media-type.ts'

const digest = (text: string): Digest => digestOf(Buffer.from(text))
const layer = (text: string, mediaType = layerMediaType('oci', 'gzip')): Descriptor => ({
  mediaType,
  digest: digest(text),
  size: text.length,
})

function known(
  layers: readonly Descriptor[],
  diffIDs: readonly Digest[],
  family: 'oci' | 'docker' = 'oci',
): ReadonlyMap<Digest, Descriptor> {
  return knownLayers(layers, diffIDs, { compression: 'gzip', family })
}

test('an earlier image tells the compressed layer of a diffID, and nothing else that it said of it', () => {
  const annotated = { ...layer('b'), annotations: { a: 'b' } }
  expect([...known([layer('a'), annotated], [digest('A'), digest('B')])]).toEqual([
    [digest('A'), layer('a')],
    [digest('B'), layer('b')],
  ])
})

test('layers of another compression are compressed anew, as was asked', () => {
  const layers = [layer('a', layerMediaType('oci', 'zstd')), layer('b', layerMediaType('oci', 'none')), layer('c')]
  expect([...known(layers, [digest('A'), digest('A'), digest('A')])]).toEqual([[digest('A'), layer('c')]])
})

test('of two layers with one content the first is used', () => {
  expect([...known([layer('a'), layer('b')], [digest('A'), digest('A')])]).toEqual([[digest('A'), layer('a')]])
})

test("media types become those of the image's family", () => {
  const docker = layerMediaType('docker', 'gzip')
  expect([...known([layer('a')], [digest('A')], 'docker').values()]).toEqual([layer('a', docker)])
  expect([...known([layer('a', docker)], [digest('A')]).values()]).toEqual([layer('a')])
})

test('layers that only their publisher may serve are not taken for pushed ones', () => {
  const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
  expect(known([layer('a', foreign)], [digest('A')]).size).toBe(0)
})

test('a config that counts other layers than its manifest tells nothing', () => {
  expect(known([layer('a')], [digest('A'), digest('B')]).size).toBe(0)
})

describe('ownLayers()', () => {
  const named = (...texts: readonly string[]) =>
    texts.map(text => ({ diffID: digest(text.toUpperCase()), descriptor: layer(text) }))
  const texts = (layers: readonly { readonly diffID: Digest }[]) => layers.map(({ diffID }) => diffID)

  test.each([
    ['all of an image on nothing', undefined, ['a', 'b', 'c']],
    ['those above the base', [['a']], ['b', 'c']],
    ['those above the base among several', [['x'], ['a', 'b']], ['c']],
    ['none of an image on another base', [['x']], []],
    ['none of an image for a platform that nothing is built for', [], []],
    ['none of an image that is a part of the base', [['a', 'b', 'c', 'd']], []],
  ])('%s', (_what, bases, own) => {
    expect(
      texts(
        ownLayers(
          named('a', 'b', 'c'),
          bases?.map(base => named(...base)),
        ),
      ),
    ).toEqual(texts(named(...own)))
  })

  test('a base with other diffIDs for the same layers is another base', () => {
    const base = [{ diffID: digest('lie'), descriptor: layer('a') }]
    expect(ownLayers(named('a', 'b'), [base])).toEqual([])
  })
})
