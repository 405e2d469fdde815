import { bytesText, countText, durationText } from '../../src/tell/amount.ts'

describe('bytesText()', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [9_949, '9.9 kB'],
    [9_960, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [35_400_000, '35 MB'],
    [1_234_000_000, '1.2 GB'],
    [5e15, '5000 TB'],
  ])('%d bytes are read as %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text)
  })
})

describe('durationText()', () => {
  test.each([
    [0, '0 ms'],
    [994, '994 ms'],
    [996, '1.0 s'],
    [59_940, '59.9 s'],
    [59_951, '1 min 0 s'],
    [125_400, '2 min 5 s'],
  ])('%d ms are read as %s', (ms, text) => {
    expect(durationText(ms)).toBe(text)
  })
})

test('one is not told in the plural', () => {
  expect([countText(0, 'layer'), countText(1, 'layer'), countText(2, 'layer')]).toEqual([
    '0 layers',
    '1 layer',
    '2 layers',
  ])
})
