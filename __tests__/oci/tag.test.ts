import { quoted } from '../../src/oci/quoted.ts'
import { isRepository, parseRepository } from '../../src/oci/repository.ts'
import { isTag, parseManifestName, parseTag } from '../../src/oci/tag.ts'

/** Each of these, as a part of a path, leads to something else than a tag of the repository. */
const HOSTILE_NAMES = [
  '../../../prod/app/manifests/latest',
  '..',
  '.',
  '',
  'x?tag=stable',
  'a#b',
  '%2f..%2fb',
  'a/b',
  'a\\b',
  'v1\n',
  '\nv1',
  'v1 ',
  'v1\r\nX: y',
  '//evil.example/x',
  'https://evil.example/x',
  '-v1',
  'é',
  'v1\u0000',
  'x'.repeat(129),
  `sha256:${'0'.repeat(64)}/../../x`,
  `sha256:${'0'.repeat(64)}?tag=x`,
  `sha256:${'0'.repeat(63)}`,
] as const

test.each(HOSTILE_NAMES)('%j is no tag: it could lead out of the repository', name => {
  expect(isTag(name)).toBe(false)
  expect(() => parseTag(name)).toThrow(/is not a tag|characters, 128 are allowed/)
  expect(() => parseManifestName(name)).toThrow(/is not a tag|characters, 128 are allowed/)
})

test.each(['v1', 'latest', '_', '1.2.3_4', 'A-b', 'x'.repeat(128)])('%s is a tag', name => {
  expect(parseTag(name)).toBe(name)
  expect(parseManifestName(name)).toBe(name)
})

test('a tag that is as long as is allowed, but not one, is not called too long', () => {
  expect(() => parseTag(`-${'x'.repeat(127)}`)).toThrow('is not a tag')
})

test('a manifest is asked for by a digest, too', () => {
  const digest = `sha256:${'0'.repeat(64)}`
  expect(parseManifestName(digest)).toBe(digest)
})

test.each([
  ['../prod', 'is not a repository name'],
  ['a/../b', 'is not a repository name'],
  ['a//b', 'is not a repository name'],
  ['/a', 'is not a repository name'],
  ['a/', 'is not a repository name'],
  ['a?b', 'is not a repository name'],
  ['a%2fb', 'is not a repository name'],
  ['a\n', 'is not a repository name'],
  ['a\u001b[2j', 'is not a repository name'],
  ['a-', 'is not a repository name'],
  ['a/b-', 'is not a repository name'],
  ['a_-b', 'is not a repository name'],
  ['a___b', 'is not a repository name'],
  [`${'a'.repeat(200)}//b`, 'is not a repository name'],
  ['A', 'must be lowercase'],
  ['', 'there is no repository'],
  ['a'.repeat(256), 'longer than 255 characters'],
])('%j is no repository', (name, because) => {
  expect(isRepository(name)).toBe(false)
  expect(() => parseRepository(name)).toThrow(because)
})

test.each(['a', 'a/b', 'team/app.web', 'a__b/c-d', 'a---b', 'a_b/c_d', 'a/b__c.d', 'a'.repeat(255)])(
  '%s is a repository',
  name => {
    expect(parseRepository(name)).toBe(name)
  },
)

test.each([
  ['v1', '"v1"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ['\u001b[2J\n', '"\\u{1b}[2J\\u{a}"'],
  ['\u202eabc', '"\\u{202e}abc"'],
  ['😀', '"\\u{1f600}"'],
  ['x'.repeat(70), `"${'x'.repeat(64)}"… (70 characters)`],
])('%j from outside is printed as %s', (text, expected) => {
  expect(quoted(text)).toBe(expected)
})
