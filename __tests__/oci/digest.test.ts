import { algorithmOf, digestOf, hexOf, isDigest, parseDigest, shortDigest } from '../../src/oci/digest.ts'

const HEX = '0123456789abcdef'.repeat(4)

test.each([`sha256:${HEX}`, `sha512:${HEX}${HEX}`])('%s is a digest', text => {
  expect(parseDigest(text)).toBe(text)
})

test.each([
  ['with a path behind it', `sha256:${HEX}/../../x`],
  ['with a query behind it', `sha256:${HEX}?tag=latest`],
  ['with a line behind it', `sha256:${HEX}\n`],
  ['with something in front of it', `x/sha256:${HEX}`],
  ['with a line in front of it', `\nsha256:${HEX}`],
  ['too short', `sha256:${HEX.slice(1)}`],
  ['too long', `sha256:${HEX}0`],
  ['of the length of the other algorithm', `sha512:${HEX}`],
  ['in capitals', `sha256:${HEX.toUpperCase()}`],
  ['of an unknown algorithm', `sha1:${HEX.slice(24)}`],
  ['empty', ''],
])('a digest %s is none: it could name another file or path', (_name, text) => {
  expect(isDigest(text)).toBe(false)
  expect(() => parseDigest(text)).toThrow('is not a digest')
})

test.each([
  [`sha256:${HEX}`, 'sha256', HEX, 'sha256:0123456789ab'],
  [`sha512:${HEX}${HEX}`, 'sha512', `${HEX}${HEX}`, 'sha512:0123456789ab'],
])('%s has an algorithm and digits, for paths and messages', (text, algorithm, hex, short) => {
  const digest = parseDigest(text)
  expect([algorithmOf(digest), hexOf(digest), shortDigest(digest)]).toEqual([algorithm, hex, short])
})

test('the digest of bytes is the one that sha256sum prints', () => {
  expect(digestOf(Buffer.from('abc'))).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})
