import { licenseForm } from '../../../src/artifact/sbom/license.ts'

const isId = (word: string): boolean =>
  ['MIT', 'ISC', 'Apache-2.0', 'GPL-2.0', 'Classpath-exception-2.0'].includes(word)

test.each([
  ['MIT', 'id'],
  ['MIT OR Apache-2.0', 'expression'],
  ['(MIT AND (ISC OR Apache-2.0))', 'expression'],
  ['GPL-2.0 WITH Classpath-exception-2.0', 'expression'],
  ['GPL-2.0+', 'expression'],
  ['LicenseRef-mine AND MIT', 'expression'],
  ['MIT AND', 'name'],
  ['MIT ISC', 'name'],
  ['(MIT', 'name'],
  ['MIT)', 'name'],
  ['GPL-2.0 WITH', 'name'],
  ['AND', 'name'],
  ['SEE LICENSE IN x', 'name'],
  ['', 'name'],
])('%j is %s', (text, form) => {
  expect(licenseForm(text, isId)).toBe(form)
})
