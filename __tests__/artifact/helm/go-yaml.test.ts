import { parseGoYaml, parseGoYamlDocuments } from '../../../src/artifact/helm/go-yaml.ts'

function problemsOf(text: string | Buffer, all = true): string {
  const problems: string[] = []
  const read = all ? parseGoYamlDocuments : parseGoYaml
  read(typeof text === 'string' ? Buffer.from(text) : text, 'values.yaml', problems)
  return problems.join('\n')
}

// All of it was tried with helm 3.22 and 4.3: __tests__/interop/helm-package.test.ts does it again.
describe('what helm cannot read is refused, so that no chart is published that cannot be installed', () => {
  test.each<[string | Buffer, string]>([
    ['a: "b\x01c"\n', 'values.yaml:1: the character U+0001 is not allowed in YAML'],
    ['# x\na: 1 # \x7f\n', 'values.yaml:2: the character U+007F'],
    ['a: |\n  b\x84c\n', 'values.yaml:2: the character U+0084'],
    ['a: b\ufffec\n', 'the character U+FFFE'],
    ['a: b\0c\n', 'the character U+0000'],
    [Buffer.from('a: \xed\xa0\x80\n', 'latin1'), 'values.yaml: is not UTF-8'],
    ['a: b\x85c\n', 'values.yaml:1: U+0085 is a line break for helm'],
    ['a: 1 # b\u2028c\n', 'U+2028 is a line break for helm'],
    ['a: |\n  b\u2029c\n', 'values.yaml:2: U+2029 is a line break for helm'],
    ['a: b\rc\n', 'U+000D is a line break for helm'],
    ['x: 1\na: "\\ud800"\n', 'values.yaml:2: helm does not know \\ud800 in double quotes'],
    ['a: "\\ud83d\\ude00"\n', 'helm does not know \\ud83d'],
    ['a: "\\U0000DC00"\n', 'helm does not know \\U0000DC00'],
    ['a: "b\\/c"\n', 'helm does not know \\/'],
    ['"\\/": 1\n', 'helm does not know \\/'],
    ['a: !!binary aGk\n', 'values.yaml:1: "aGk" is not base64'],
    ['a: !!binary a G k =\n', 'is not base64'],
    ['a: !!binary aGk==\n', 'is not base64'],
    ['a: !!binary _-==\n', 'is not base64'],
    ['a: !!binary aGk=aGk=\n', 'is not base64'],
    ['a: !!binary ~\n', '"~" is not base64'],
    ['a: !!int x\n', '"x" is not of the type int'],
    ['a: !!int 1.0\n', '"1.0" is not of the type int'],
    ['a: !!int 99999999999999999999\n', 'is not of the type int'],
    ['a: !!int ""\n', '"" is not of the type int'],
    ['a: !!float x\n', '"x" is not of the type float'],
    ['a: !!bool x\n', '"x" is not of the type bool'],
    ['a: !!null x\n', '"x" is not of the type null'],
    ['a: !!timestamp x\n', '"x" is not a timestamp'],
    ['a: .inf\nb: .nan\n', 'values.yaml:1: .inf is not a number that helm can read\nvalues.yaml:2: .nan is not'],
    ['a: *x\n', 'values.yaml:1: there is no anchor &x'],
    ['# c\n\n%YAML 1.1\n---\na: 1\n', 'values.yaml:3: helm cannot read the directive %YAML 1.1'],
    ['%TAG ! tag:example.com,2000:\n---\na: 1\n', 'values.yaml:1: helm cannot read the directive %TAG'],
    ['...\n', 'values.yaml:1: "..." ends a document before there is one'],
    ['a: 1\n--- \nb: [\n', 'values.yaml:4: '],
  ])('%j in values', (text, problem) => {
    expect(problemsOf(text)).toContain(problem)
  })

  test.each([
    ['%YAML 1.2\n---\na: 1\n', 'directive %YAML 1.2'],
    ['%FOO bar\n---\na: 1\n', 'directive %FOO'],
    ['%YAML 1.1\n%YAML 1.1\n---\na: 1\n', 'values.yaml:2: helm cannot read'],
    ['%TAG ! tag:a\n%TAG ! tag:b\n---\na: 1\n', 'values.yaml:2: helm cannot read'],
    ['%TAG !e tag:x\n---\na: 1\n', 'directive %TAG'],
    ['%TAG\n---\na: 1\n', 'directive %TAG'],
  ])('%j in a Chart.yaml', (text, problem) => {
    expect(problemsOf(text, false)).toContain(problem)
  })
})

describe('what helm reads is not refused', () => {
  test.each([
    ...['', '# c\n', '---\n', 'a: "b\x85\u2028\u2029c"\n', "a: 'b\u2028c'\n", 'a: b\ufeffc\n', 'a: \ue000\u{10ffff}\n'],
    ...['a: "\\U0001F600 \\N \\_ \\L \\P \\e \\x01"\n', 'a: "\\\\/ \\\\ud800"\n', "a: '\\/ \\ud800'\n", 'a: \\ud800\n'],
    ...['a: !!binary aGk=\n', 'a: !!binary |\n  aG\n  k=\n', 'a: !!binary\n', 'a: !!binary gIA=\n'],
    ...['a: !!int "5"\n', 'a: !!float 5\n', 'a: !!bool "yes"\n', 'a: !!str 5\n', 'a: !!timestamp 2001-01-01\n'],
    ...[
      'a: !<x> 1\n',
      'a: !x 1\n',
      'a: &x 1\nb: *x\n',
      'a: %x\n'.replace('%', '_%'),
      'a: 1\n---\nb: 2\n',
      'a: 1\n...\n',
    ],
    ...['a: 1\r\nb: 2\r\n', '\ufeffa: 1\n'],
  ])('%j in values', text => {
    expect(problemsOf(text)).toBe('')
  })

  test.each(['%YAML 1.1\n---\na: 1\n', '%YAML 1.1 # c\n%TAG !e! tag:x\n---\na: !e!x 1\n', 'a: 1\n---\n- [\n'])(
    '%j in a Chart.yaml',
    text => {
      expect(problemsOf(text, false)).toBe('')
    },
  )
})
