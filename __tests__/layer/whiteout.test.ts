import { whiteoutOf } from '../../src/layer/whiteout.ts'

test.each([
  ['a/b', undefined],
  ['a/x.wh.b', undefined],
  ['.wh.a', { kind: 'whiteout', path: 'a' }],
  ['a/.wh.b', { kind: 'whiteout', path: 'a/b' }],
  ['.wh..wh..opq', { kind: 'opaque', directory: '' }],
  ['a/.wh..wh..opq', { kind: 'opaque', directory: 'a' }],
  ['a/.wh.', { kind: 'invalid' }],
  ['a/.wh..', { kind: 'invalid' }],
  ['a/.wh...', { kind: 'invalid' }],
  ['.wh..wh.plnk', { kind: 'invalid' }],
  ['.wh.a/b', { kind: 'invalid' }],
  ['a/.wh.b/c', { kind: 'invalid' }],
])('%s deletes %j', (path, expected) => {
  expect(whiteoutOf(path)).toEqual(expected)
})
