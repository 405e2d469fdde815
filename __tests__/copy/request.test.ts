import { parseCopy } from '../../src/copy/request.ts'
import type { InputError } from '../../src/errors.ts'
import { digestOf } from '../../src/oci/digest.ts'

const DIGEST = digestOf(new TextEncoder().encode('something'))
const parse = (from: string, to: string, platforms: readonly string[] = []) =>
  parseCopy({ from, to, platforms, dryRun: false })

describe('the tag that moves', () => {
  test.each<[from: string, to: string, tags: readonly string[], what: string]>([
    ['ghcr.io/a/b:v1', 'r.example/c:v2', ['v2'], 'is the one that is typed'],
    ['ghcr.io/a/b:v1', 'r.example/c', ['v1'], 'is that of the source'],
    [`ghcr.io/a/b:v1@${DIGEST}`, 'r.example/c', ['v1'], 'is that of the source, which has a digest too'],
    ['ghcr.io/a/b', 'r.example/c', ['latest'], 'is the one that is meant when none is typed'],
    [`ghcr.io/a/b@${DIGEST}`, 'r.example/c', [], 'is none where there is none'],
    ['ghcr.io/a/b:v1', `r.example/c@${DIGEST}`, [], 'is none where a digest alone is wanted'],
    ['ghcr.io/a/b:v1', `r.example/c:v2@${DIGEST}`, ['v2'], 'is the one typed beside a digest'],
    ['oci:out:v1', 'r.example/c', ['v1'], 'is the name in a layout'],
    ['oci:out', 'r.example/c', [], 'is none where a layout has one image'],
    ['ghcr.io/a/b:v1', 'oci:out', ['v1'], 'is the name in a layout to be'],
    ['ghcr.io/a/b:v1', 'oci-archive:out.tar:x', ['x'], 'is the name in an archive to be'],
  ])('%s to %s: %j, it %s', (from, to, tags) => {
    expect(parse(from, to).to.tags).toEqual(tags)
  })
})

test('a layout is told the repository of its image, so that docker load has a name for it', () => {
  expect(parse('ghcr.io/a/b:v1', 'oci-archive:out.tar').to).toEqual({
    kind: 'oci-archive',
    path: 'out.tar',
    tags: ['v1'],
    images: [{ kind: 'registry', host: 'ghcr.io', repository: 'a/b' }],
  })
  expect(parse('oci:in:v1', 'oci:out').to).toMatchObject({ images: [] })
})

test('a digest of the target is what has to arrive', () => {
  expect(parse('oci:in', `ghcr.io/a/b@${DIGEST}`).expects).toBe(DIGEST)
  expect(parse('oci:in', `oci:out@${DIGEST}`).expects).toBe(DIGEST)
  expect(parse(`ghcr.io/a/b@${DIGEST}`, 'oci:out').expects).toBeUndefined()
})

test('every problem is told, by the place where it was typed', () => {
  const problems = (...words: Parameters<typeof parse>): readonly string[] => {
    try {
      parse(...words)
      return []
    } catch (error) {
      return (error as InputError).problems.map(({ input, problem }) => `${input}: ${problem}`)
    }
  }
  expect(problems('ghcr.io/A', 'ghcr.io/b@sha256:12', ['linux', 'linux/amd64'])).toEqual([
    expect.stringMatching(/^FROM: .*must be lowercase/),
    expect.stringMatching(/^TO: .*is not a digest/),
    expect.stringMatching(/^platforms: unknown platform "linux"/),
  ])
  expect(problems('oci:out:v1+b', 'ghcr.io/b')).toEqual([expect.stringMatching(/^TO: "v1\+b" is not a tag/)])
})
