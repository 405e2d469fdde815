import { hangingFinder, listing, type Hanging } from '../../src/content/hanging.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import type { Source } from '../../src/content/ports.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { OciPublishError } from '../../src/errors.ts'
import { OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { tagOf } from '../copy/signed.ts'

function of(text: string): Descriptor {
  const bytes = new TextEncoder().encode(text)
  return { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.byteLength }
}

/** A source that says what refers to what, and remembers which tags it was asked for. */
function sourceOf(
  refers: (subject: Descriptor) => readonly Descriptor[],
  tags: ReadonlyMap<string, Descriptor> = new Map(),
) {
  const asked: string[] = []
  return {
    asked,
    place: 'r.example/a',
    resolve: (name: string): Promise<Descriptor> => {
      asked.push(name)
      const found = tags.get(name)
      return found ? Promise.resolve(found) : Promise.reject(new OciPublishError('NOT_FOUND', `no ${name}`))
    },
    open: (): never => {
      throw new Error('nothing is read')
    },
    async *referrers(subject: Descriptor) {
      for (const one of refers(subject)) yield await Promise.resolve(one)
    },
  }
}

const root = of('root')

test('what has a tag made of a digest is found at every depth: an SBOM is signed by tag as an image is', async () => {
  const [sbom, seal] = [of('sbom'), of('seal')]
  const source = sourceOf(({ digest }) => (digest === root.digest ? [sbom] : []), new Map([[tagOf(sbom, 'sig'), seal]]))
  const found = await hangingFinder(source)(root)
  const hanging = (descriptor: Descriptor, more: Partial<Hanging>): Hanging => ({
    ...{ descriptor, by: 'subject', tag: undefined, referrers: [] },
    ...more,
  })
  expect(found).toEqual([hanging(sbom, { referrers: [hanging(seal, { by: 'tag', tag: tagOf(sbom, 'sig') })] })])
})

test('of a digest that is too long for tags none are asked for, nor what is known not to be there', async () => {
  const sha512 = { ...root, digest: `sha512:${'0'.repeat(128)}` as Descriptor['digest'] }
  const source = sourceOf(() => [])
  await hangingFinder(source)(sha512)
  expect(source.asked).toEqual([])
  await hangingFinder(source, { hasTag: tag => tag.endsWith('.att') })(root)
  expect(source.asked).toEqual([tagOf(root, 'att')])
})

test.each<[string, ReturnType<typeof sourceOf>]>([
  ['tags that lead in a circle', sourceOf(() => [], new Map([[tagOf(root, 'sig'), root]]))],
  ['referrers that have referrers without end', sourceOf(({ digest }) => [of(digest)])],
  ['more than anybody attaches', sourceOf(() => Array.from({ length: 3_000 }, (_one, i) => of(`${i}`)))],
])('%s end in an error, not never', async (_name, source) => {
  await expect(hangingFinder(source)(root)).rejects.toMatchObject({
    code: 'TOO_LARGE',
    message: expect.stringContaining('too much hangs on it') as unknown,
  })
})

test('a failure of the source is one, and not taken for nothing', async () => {
  const broken = { ...sourceOf(() => []), resolve: () => Promise.reject(new Error('no network')) }
  await expect(hangingFinder(broken)(root)).rejects.toThrow('no network')
})

test('where nobody lists referrers, that is said', () => {
  const store: Source = new MemoryStore('somewhere')
  expect(() => listing(store)).toThrow('somewhere keeps no list of what refers to its manifests')
})
