import { highestIn } from '../../../src/artifact/helm/version-range.ts'

const VERSIONS = [
  '0.3.1',
  '0.3.9',
  '0.4.0',
  '1.0.0',
  '1.2.0',
  '1.2.5',
  '1.10.0',
  '2.0.0',
  '2.1.0-rc.1',
  'v3.0',
  'latest',
]

describe('highestIn()', () => {
  test.each([
    ['', 'v3.0'],
    ['*', 'v3.0'],
    ['1.2.0', '1.2.0'],
    ['v1.2.0', '1.2.0'],
    ['=1.2.0', '1.2.0'],
    ['1.2', '1.2.5'],
    ['^1', '1.10.0'],
    ['~1.2', '1.2.5'],
    ['~1.x', '1.10.0'],
    ['^0.3', '0.3.9'],
    ['>1', 'v3.0'],
    ['>= 1.0.0, < 2', '1.10.0'],
    ['>=1.0.0 <1.10.0', '1.2.5'],
    ['=> 1.0.0 =< 1.2.0', '1.2.0'],
    ['^1, != 1.10.0', '1.2.5'],
    ['1.0 - 1.2', '1.2.5'],
    ['^0.3 || ^1.2', '1.10.0'],
    ['~> 1.2.0', '1.2.5'],
    ['>=2.1.0-0, <3.0.0', '2.1.0-rc.1'],
    ['^2', '2.0.0'],
    ['3', 'v3.0'],
    ['^9', undefined],
  ])('%s is %s', (range, version) => {
    expect(highestIn(range, VERSIONS)).toBe(version)
  })

  test('the version as it is written comes before one that means the same', () => {
    expect(highestIn('1.2.3+b', ['1.2.3+a', '1.2.3+b', '1.2.3+c'])).toBe('1.2.3+b')
    expect(highestIn('^1', ['1.2.3+a', '1.2.3+c', '1.2.3+b'])).toBe('1.2.3+c')
  })

  test('what is no range is not taken for one', () => {
    expect(() => highestIn('newest', ['1.0.0'])).toThrow('newest')
  })
})
