import fc from 'fast-check'
import { matchesGoPattern, parseGoPattern } from '../../../src/artifact/helm/go-match.ts'
import { isHelmIgnored, parseHelmIgnore } from '../../../src/artifact/helm/helmignore.ts'

function ignored(text: string, path: string, isDirectory = false): boolean {
  const problems: string[] = []
  const rules = parseHelmIgnore(text, problems)
  expect(problems).toEqual([])
  return isHelmIgnored(rules, path, isDirectory)
}

describe('what a rule leaves out of the package', () => {
  test.each([
    // rule, path, is a folder, is left out
    ['a.txt', 'a.txt', false, true],
    ['a.txt', 'docs/a.txt', false, true],
    ['a.txt', 'a.txt', true, true],
    ['a.txt', 'A.txt', false, false],
    ['docs/', 'docs', true, true],
    ['docs/', 'deep/docs', true, true],
    ['docs/', 'docs', false, false],
    ['/docs/', 'docs', true, true],
    ['/docs/', 'deep/docs', true, false],
    ['/a.txt', 'a.txt', false, true],
    ['/a.txt', 'docs/a.txt', false, false],
    ['docs/a.txt', 'docs/a.txt', false, true],
    ['docs/a.txt', 'deep/docs/a.txt', false, false],
    ['docs/*', 'docs/a.txt', false, true],
    ['docs/*', 'docs/deep/a.txt', false, false],
    ['*/a.txt', 'docs/a.txt', false, true],
    ['*/a.txt', 'a.txt', false, false],
    ['./a.txt', 'a.txt', false, false],
    ['*', 'Chart.yaml', false, true],
    ['Chart.yaml', 'Chart.yaml', false, true],
    ['*.t[xy]t', 'docs/a.tyt', false, true],
    ['?.txt', 'ä.txt', false, true],
    ['\\*.txt', '*.txt', false, true],
    ['\\*.txt', 'a.txt', false, false],
    ['.*', '.git', true, true],
    ['a.txt # c', 'a.txt', false, false],
    ['# a.txt', '# a.txt', false, false],
    ['  a.txt \r', 'a.txt', false, true],
    ['\ufeffa.txt', 'a.txt', false, true],
    ['!a.txt', 'a.txt', false, false],
    ['!a.txt', 'Chart.yaml', false, true],
    ['docs\\/', 'docs', true, false],
    ['!docs/', 'a.txt', false, true],
    ['!docs/', 'docs', true, false],
    ['a.txt\n!a.txt', 'a.txt', false, true],
    ['', 'templates/.hidden', false, true],
    ['', 'templates/.hidden', true, true],
    ['', 'templates/a/.hidden', false, false],
    ['', '.git', true, false],
  ])('%j and %s (a folder: %s): %s', (rule, path, isDirectory, expected) => {
    expect(ignored(rule, path, isDirectory)).toBe(expected)
  })
})

test('every line that helm stops at is told at once, with its number', () => {
  const problems: string[] = []
  parseHelmIgnore('a\n**/b\n[\nc\\\n[]\n[a-]\n[z', problems)
  expect(problems).toEqual([
    '.helmignore:2: "**/b": "**" does not exist there',
    '.helmignore:3: "[": a bracket is not closed or nothing follows a "\\"',
    '.helmignore:4: "c\\\\": a bracket is not closed or nothing follows a "\\"',
    '.helmignore:5: "[]": a bracket is not closed or nothing follows a "\\"',
    '.helmignore:6: "[a-]": a bracket is not closed or nothing follows a "\\"',
    '.helmignore:7: "[z": a bracket is not closed or nothing follows a "\\"',
  ])
})

describe('matchesGoPattern()', () => {
  test.each([
    ['*', '', true],
    ['a*/b', 'a/c/b', false],
    ['a*b?c*x', 'abxbbxdbxebxczzx', true],
    ['a*b?c*x', 'abxbbxdbxebxczzy', false],
    ['a[^a]b', 'a☺b', true],
    ['[^a]', '/', true],
    ['[a-ζ]*', 'α', true],
    ['[\\]a]', ']', true],
    ['[\\-x]', '-', true],
    ['[!a]', '!', true],
    ['{a,b}', 'a', false],
    ['*x', 'xxx', true],
    ['a*', 'ab/c', false],
  ])('%s on %s: %s', (pattern, path, expected) => {
    const parsed = parseGoPattern(pattern)
    expect(parsed && matchesGoPattern(parsed, path)).toBe(expected)
  })

  test('a path that is escaped matches itself, and with stars in it too', () => {
    const name = fc.stringMatching(/^[a-c*?[\]\\.é]{1,12}$/)
    fc.assert(
      fc.property(name, fc.nat(12), (path, at) => {
        const escaped = Array.from(path, char => `\\${char}`)
        const starred = escaped.toSpliced(at % escaped.length, 1, '*')
        for (const pattern of [escaped, starred]) {
          const parsed = parseGoPattern(pattern.join(''))
          expect(parsed && matchesGoPattern(parsed, path)).toBe(true)
        }
      }),
    )
  })
})
