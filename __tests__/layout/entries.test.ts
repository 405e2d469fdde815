import {
  CONTAINERD_NAME,
  REF_NAME,
  findEntry,
  parseEntries,
  serializeEntries,
  withEntry,
  withoutNames,
} from '../../src/layout/entries.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { image, index } from '../copy/sample.ts'

const [a, b] = [image('linux/amd64', ['a']), image('linux/amd64', ['b'])].map(blobs => {
  const root = blobs.at(-1)
  if (!root) throw new Error('an image has a manifest')
  return root.descriptor
}) as [Descriptor, Descriptor]

const named = (descriptor: Descriptor, ref: string, full?: string): Descriptor => ({
  ...descriptor,
  annotations: { [REF_NAME]: ref, ...(full !== undefined && { [CONTAINERD_NAME]: full }) },
})

const referring = (descriptor: Descriptor): Descriptor => ({ ...descriptor, artifactType: 'application/spdx+json' })

describe('findEntry()', () => {
  test.each<[string, readonly Descriptor[], string, Descriptor]>([
    ['the tag, as skopeo writes it', [named(a, 'v1'), named(b, 'v2')], 'v2', b],
    ['the full reference, which some write there', [named(a, 'docker.io/library/x:v1')], 'docker.io/library/x:v1', a],
    ['the tag of a full reference', [named(a, 'docker.io/library/x:v1'), named(b, 'other')], 'v1', a],
    ['the reference that containerd looks for', [named(a, 'v1', 'ghcr.io/team/app:v1')], 'ghcr.io/team/app:v1', a],
    ['an exact name before the tag of a longer one', [named(a, 'x:v1'), named(b, 'v1')], 'v1', b],
    ['a digest', [named(a, 'v1'), named(b, 'v2')], b.digest, b],
    ['the only image without a name', [a], '', a],
    ['the only image under several names', [named(a, 'v1'), named(a, 'latest')], '', a],
    [
      'the only image beside what is attached to it',
      [referring(b), a, named(b, `sha256-${'0'.repeat(64)}.sig`)],
      '',
      a,
    ],
    ['what is attached, where there is nothing else', [named(b, `sha256-${'0'.repeat(64)}.sig`)], '', b],
  ])('finds %s', (_, entries, name, wanted) => {
    expect(findEntry(entries, name, 'oci:out')?.digest).toBe(wanted.digest)
  })

  test.each([
    ['a name that is not there', [named(a, 'v1'), b], 'v3', `oci:out has no image "v3"; it has: v1, ${b.digest}`],
    [
      'no name where there are several',
      [named(a, 'v1'), named(b, 'v2')],
      '',
      'oci:out holds several images, say which: v1, v2',
    ],
    [
      'no name where several have something attached',
      [named(a, 'v1'), named(b, 'v2'), referring(b), named(a, `sha256-${'0'.repeat(64)}.att`)],
      '',
      'oci:out holds several images, say which: v1, v2',
    ],
    [
      'one name for two images',
      [named(a, 'v1'), named(b, 'v1')],
      'v1',
      `oci:out holds several images named "v1", say which by its digest: ${a.digest}, ${b.digest}`,
    ],
    ['an empty layout', [], '', 'oci:out holds no image'],
    ['a name in an empty layout', [], 'v1', 'oci:out holds no image'],
  ])('tells the names there are, given %s', (_, entries, name, message) => {
    expect(() => findEntry(entries, name, 'oci:out')).toThrow(new Error(message))
  })

  test('leaves a digest that has no entry to whoever looks for blobs', () => {
    expect(findEntry([named(a, 'v1')], b.digest, 'oci:out')).toBeUndefined()
  })
})

describe('withEntry()', () => {
  test('a tag moves and other tags stay', () => {
    expect(withEntry([named(a, 'v1'), named(a, 'v2')], b, ['v1'], [])).toEqual([named(a, 'v2'), named(b, 'v1')])
  })

  test('each name is an entry, with the full reference where a repository is known', () => {
    expect(withEntry([], a, ['v1', 'latest', 'v1'], ['ghcr.io/team/app', 'docker.io/team/app'])).toEqual([
      named(a, 'v1', 'ghcr.io/team/app:v1'),
      named(a, 'latest', 'ghcr.io/team/app:latest'),
    ])
  })

  test('an image without a name can be found all the same, once', () => {
    const once = withEntry([], a, [], [])
    expect(once).toEqual([a])
    expect(withEntry(once, a, [], [])).toEqual([a])
    expect(withEntry(once, a, ['v1'], [])).toEqual([named(a, 'v1')])
  })

  test('names that an image has elsewhere do not come along', () => {
    const elsewhere = { ...a, annotations: { [REF_NAME]: 'old', [CONTAINERD_NAME]: 'x:old', kept: 'yes' } }
    expect(withEntry([], elsewhere, ['v1'], [])).toEqual([{ ...a, annotations: { kept: 'yes', [REF_NAME]: 'v1' } }])
    expect(withoutNames(named(a, 'v1'))).toEqual(a)
  })

  test('is read back as it was written', () => {
    const entries = withEntry([], { ...a, platform: { os: 'linux', architecture: 'amd64' } }, ['v1'], [])
    expect(parseEntries(serializeEntries(entries), 'index.json')).toEqual(entries)
  })

  test('reads an index.json that does not say its type', () => {
    const bytes = new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, manifests: [index([]).descriptor] }))
    expect(parseEntries(bytes, 'index.json')).toHaveLength(1)
  })
})
