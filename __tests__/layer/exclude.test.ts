import { isExcluded, matchExclusion, parseExclusion, type Matched } from '../../src/layer/exclude.ts'

function excluded(patterns: readonly string[], path: string): boolean {
  const exclusion = parseExclusion(patterns)
  if ('invalid' in exclusion) throw new Error(`not patterns: ${exclusion.invalid.join()}`)
  const segments = path.split('/')
  let matched: Matched = []
  for (const i of segments.keys()) matched = matchExclusion(exclusion, segments.slice(0, i + 1).join('/'), matched)
  return isExcluded(exclusion, matched)
}

test.each([
  [['*.map'], 'a.map', true],
  [['*.map'], 'x/a.map', false],
  [['**/*.map'], 'x/a.map', true],
  [['x'], 'x/y/z', true],
  [['/x/'], 'x/y', true],
  [['./x'], 'x', true],
  [['x/**'], 'x', false],
  [['x/**'], 'x/y', true],
  [['x', '!x/keep'], 'x/keep', false],
  [['x', '!x/keep'], 'x/keep/below', false],
  [['x', '!x/keep'], 'x/other', true],
  [['x', '!x/keep', 'x/keep/not'], 'x/keep/not', true],
  [['!x', 'x'], 'x', true],
  [[], 'x', false],
])('.dockerignore patterns %j leave out %s: %s', (patterns, path, expected) => {
  expect(excluded(patterns, path)).toBe(expected)
})

test('names the patterns that are none', () => {
  expect(parseExclusion(['a', '[', '', '!', '../x'])).toEqual({ invalid: ['[', '', '!', '../x'] })
})
