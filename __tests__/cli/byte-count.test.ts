import { parseByteCount } from '../../src/cli/byte-count.ts'

test.each([
  ['1000', 1000],
  ['500GB', 500e9],
  ['1.5 TB', 1.5e12],
  ['64MiB', 64 * 2 ** 20],
  ['2g', 2e9],
  ['0', 0],
])('%s is %d bytes', (text, bytes) => {
  expect(parseByteCount(text)).toBe(bytes)
})

test.each(['', 'GB', '5 parsecs', '-1', '1e9', '1.GB'])('%j is told not to be a size', text => {
  expect(() => parseByteCount(text)).toThrow('is not a size such as 500GB or 64MiB')
})
