import { messageOf } from '../../src/errors.ts'
import { isMediaType, parseFile } from '../../src/artifact/parse-file.ts'

test.each([
  ['a.txt', 'a.txt', undefined, 'a.txt'],
  ['a.txt:text/plain', 'a.txt', 'text/plain', 'a.txt'],
  ['./dir//sub/', './dir//sub/', undefined, 'dir/sub'],
  ['.', '.', undefined, '.'],
  ['./', './', undefined, '.'],
  ['../up/a.txt', '../up/a.txt', undefined, 'a.txt'],
  ['/abs/a.txt:application/json', '/abs/a.txt', 'application/json', 'a.txt'],
  ['C:\\dir\\a.txt', 'C:\\dir\\a.txt', undefined, 'a.txt'],
  ['C:\\dir\\a.txt:text/plain', 'C:\\dir\\a.txt', 'text/plain', 'a.txt'],
  ['a:b:text/plain', 'a:b', 'text/plain', 'a:b'],
  ['ünï cödé.txt', 'ünï cödé.txt', undefined, 'ünï cödé.txt'],
])('%s is pulled under the name that its user expects', (text, path, mediaType, title) => {
  expect(parseFile(text)).toEqual({ path, mediaType, title })
})

test.each([
  ['', '"" names no file'],
  [':text/plain', '":text/plain" names no file'],
  ['a.txt:', '"" in "a.txt:" is not a media type such as application/json'],
  ['a.txt:text', '"text" in "a.txt:text" is not a media type such as application/json'],
  ['a.txt:text/', '"text/" in "a.txt:text/" is not a media type such as application/json'],
  ['a.txt:text/plain;q=1', '"text/plain;q=1" in "a.txt:text/plain;q=1" is not a media type such as application/json'],
  [
    'a:application/vnd.oci.image.manifest.v1+json',
    'application/vnd.oci.image.manifest.v1+json in "a:application/vnd.oci.image.manifest.v1+json" is no type for a ' +
      'file: registries treat what has it in a way of its own',
  ],
])('"%s" is refused in words', (text, problem) => {
  const thrown = ((): unknown => {
    try {
      return parseFile(text)
    } catch (error) {
      return error
    }
  })()
  expect(messageOf(thrown)).toBe(problem)
})

test('a word stands for a media type where there are words, and is named where it is wrong', () => {
  const words = new Map([['weight', 'application/vnd.x.weight']])
  expect(parseFile('a.bin:weight', words)).toMatchObject({ mediaType: 'application/vnd.x.weight' })
  expect(() => parseFile('a.bin:wait', words)).toThrow('nor one of weight')
})

test('a media type has the form that registries check', () => {
  expect(isMediaType(`a/${'b'.repeat(127)}`)).toBe(true)
  expect(isMediaType(`a/${'b'.repeat(128)}`)).toBe(false)
  expect(isMediaType('a/b/c')).toBe(false)
})
