import { mutantsOf } from '../../tools/mutate/mutants.js'

/** The statement with each mutant applied. */
function mutations(source: string): readonly string[] {
  return mutantsOf('x.ts', source).map(({ start, end, text }) => source.slice(0, start) + text + source.slice(end))
}

test.each<[string, string, readonly string[]]>([
  ['a forgotten half of a condition', 'f(a && b)', [';', 'f(a)', 'f(b)']],
  ['a forgotten default', 'const x = a ?? 1', ['const x = a', 'const x = 1']],
  ['a condition that never or always holds', 'if (a) b()', ['if (true) b()', 'if (false) b()', 'if (a) ;']],
  ['a loop that does not end is not made', 'while (a) b()', ['while (false) b()', 'while (a) ;']],
  ['an end of a range that is one off', 'const x = a < b', ['const x = a <= b', 'const x = a >= b']],
  ['text is joined, not added', 'const x = a + `b`', ["const x = a + ''"]],
  ['a negation', 'const x = !a', ['const x = a']],
  ['a result', 'const f = (): unknown => a', ['const f = (): unknown => undefined']],
  ['an option that is not passed on', 'const x = { a, ...b }', ['const x = { ...b }', 'const x = { a,  }']],
  ['an item of a list', 'const x = [a, b]', ['const x = [b]', 'const x = [a, ]']],
  ['an await', 'const x = await a', ['const x = a']],
  ['a check that does not stop', 'if (a) throw new Error(`b`)', ['true', 'false', ';']],
  ['a call that changes a value', 'const x = a.trim()', ['const x = a']],
  ['a method with another of its kind', 'const x = a.some(b)', ['const x = a.every(b)']],
  ['a property that may be missing', 'const x = a?.b', ['const x = a.b']],
  ['a word that code compares', "const x = 'a'", ["const x = ''"]],
])('%s', (_, source, expected) => {
  const short = mutations(source).map(text =>
    source.startsWith('if (a) throw') ? (/true|false/.exec(text)?.[0] ?? text.slice('if (a) '.length)) : text,
  )
  expect(short.toSorted()).toEqual([...expected].toSorted())
})

test('a regular expression loses its ends, its quantifiers, and what its classes mean', () => {
  expect(mutations('const x = /^(?:[a-z]+|\\d{2})$/i')).toEqual(
    [
      '/(?:[a-z]+|\\d{2})$/i',
      '/^(?:[a-z]+|\\d{2})/i',
      '/^(?:[a-z]*|\\d{2})$/i',
      '/^(?:[^a-z]+|\\d{2})$/i',
      '/^(?:[a-z]+|\\D{2})$/i',
      '/^(?:[a-z]+|\\d)$/i',
      '/^(?:[a-z]+|\\d{2})$/',
    ]
      .map(regex => `const x = ${regex}`)
      .sort(),
  )
})

test.each([
  ["f(a, 'is not text')", 'a sentence'],
  ["throw new Problem('CODE', `b`)", 'a code in an error'],
  ["const x = new TypeError('CODE')", 'a code in an error'],
  ["const x = { hint: 'wait' }", 'a hint'],
  ["import a from 'a'", 'a path of a module'],
  ["type A = 'a' | 'b'", 'a type'],
  ['interface A { readonly a: true }', 'a type'],
])('messages and types are left alone: %s', source => {
  expect(mutantsOf('x.ts', source).filter(({ mutator }) => ['string', 'boolean'].includes(mutator))).toEqual([])
})

test('a mutant says where it is, by name too, because lines move', () => {
  const source = 'const A = 1\nclass B {\n  c(): boolean {\n    return true\n  }\n}\n'
  const [, flipped] = mutantsOf('b.ts', source)
  expect(flipped).toMatchObject({ file: 'b.ts', line: 4, within: 'c', mutator: 'return value' })
})
