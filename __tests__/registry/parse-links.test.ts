import { countedText } from '../support/counted-text.ts'
import { parseLinks } from '../../src/registry/parse-links.ts'

test.each([
  ['', []],
  ['</a>', [{ target: '/a', relations: [] }]],
  ['</a>; rel="next"', [{ target: '/a', relations: ['next'] }]],
  ['</a>;rel=next', [{ target: '/a', relations: ['next'] }]],
  ['</a> ; REL = NEXT', [{ target: '/a', relations: ['next'] }]],
  ['</a>; rel=prev; rel=next', [{ target: '/a', relations: ['prev'] }]],
  ['</a>; rel="first next"', [{ target: '/a', relations: ['first', 'next'] }]],
  ['</a>; title="; rel=next"; rel=prev', [{ target: '/a', relations: ['prev'] }]],
  ['</a>; title="\\"; rel=next"', [{ target: '/a', relations: [] }]],
  [
    '</a?x=1,2;3>; rel=prev, </b>; x; rel=next',
    [
      { target: '/a?x=1,2;3', relations: ['prev'] },
      { target: '/b', relations: ['next'] },
    ],
  ],
  ['</a>; rel="next', []],
  ['<', []],
  ['</a', []],
  ['/a; rel=next', []],
  ['</a>; rel=next garbage', [{ target: '/a', relations: ['next'] }]],
  [', ,</a>;;rel=next,', [{ target: '/a', relations: ['next'] }]],
])('%j', (header, expected) => {
  expect(parseLinks(header)).toEqual(expected)
})

const N = 20_000
test.each([
  ['<', '<'.repeat(N)],
  ['<>', '<>'.repeat(N)],
  [';', `<a>${';'.repeat(N)}`],
  ['; x', `<a>${'; x'.repeat(N)}`],
  ['; x=', `<a>${'; x='.repeat(N)}`],
  ['; x="', `<a>${'; x="'.repeat(N)}`],
  ['blanks', `<a>${' '.repeat(N)}`],
  ['blanks after a name', `<a>;x${' '.repeat(N)}`],
  ['backslashes', `<a>;x="${'\\'.repeat(N)}`],
  ['commas', ','.repeat(N)],
  ['links', '<a>; rel="next", '.repeat(N)],
])('a header of nothing but %s costs a few looks at each character', (_name, header) => {
  const { text, looks } = countedText(header)
  parseLinks(text)
  expect(looks()).toBeLessThan(8 * header.length)
})
