import { isGlob, pathPattern, segmentPattern } from '../../src/layer/glob.ts'

test.each([
  ['dist/server', false],
  ['dist/*.js', true],
  ['a?', true],
  ['[ab]', true],
])('tells a pattern from a name: %s', (path, expected) => {
  expect(isGlob(path)).toBe(expected)
})

describe('segmentPattern() reads as filepath.Match of Go does', () => {
  test.each([
    ['*', 'abc', true],
    ['*', '.hidden', true],
    ['*', 'a/b', false],
    ['a*c', 'abbc', true],
    ['a?c', 'abc', true],
    ['a?c', 'a😀c', true],
    ['[a-c]x', 'bx', true],
    ['[a-c]x', 'dx', false],
    ['[^a-c]x', 'dx', true],
    ['[^a-c]x', 'ax', false],
    ['[a\\-c]', '-', true],
    ['[a\\-c]', 'b', false],
    ['[x^]', '^', true],
    ['[[]id[]]', '[id', false],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['a.b', 'axb', false],
    ['a+(b)$^|{}', 'a+(b)$^|{}', true],
    ['ä*', 'äö', true],
  ])('%s on %s: %s', (pattern, name, expected) => {
    expect(segmentPattern(pattern)?.test(name) ?? false).toBe(expected)
  })

  test.each(['[', '[a', '[]', '[]a]', '[^]', 'a\\', '[b-a]'])('refuses %s', pattern => {
    expect(segmentPattern(pattern)).toBeUndefined()
  })
})

describe('pathPattern()', () => {
  test.each([
    ['**/*.map', 'a.map', true],
    ['**/*.map', 'x/y/a.map', true],
    ['*.map', 'x/a.map', false],
    ['x/**', 'x/y/z', true],
    ['x/**', 'x', false],
    ['x/**/z', 'x/z', true],
    ['x/**/z', 'x/a/b/z', true],
    ['x/**/**/z', 'x/z', true],
    ['**', 'a/b', true],
    ['x[^a]y', 'x/y', false],
  ])('%s on %s: %s', (pattern, path, expected) => {
    expect(pathPattern(pattern)?.test(path)).toBe(expected)
  })
})
