import { chartConfig } from '../../../src/artifact/helm/chart-config.ts'
import { parseChartYaml } from '../../../src/artifact/helm/chart-yaml.ts'
import type { ChartMetadata } from '../../../src/artifact/helm/chart.ts'
import { editChartYaml } from '../../../src/artifact/helm/edit-chart-yaml.ts'

interface Parsed {
  readonly metadata: ChartMetadata
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

function parsed(text: string): Parsed {
  const problems: string[] = []
  const warnings: string[] = []
  const metadata = parseChartYaml(Buffer.from(text), 'Chart.yaml', { problems, warnings })
  return { metadata, problems, warnings }
}

describe('what stands without quotes becomes the text that helm makes of it', () => {
  test.each([
    ['1.10', '1.1'],
    ['1.2.3', '1.2.3'],
    ['yes', 'true'],
    ['on', 'true'],
    ['y', 'true'],
    ['Off', 'false'],
    ['nO', 'nO'],
    ['~', undefined],
    ['null', undefined],
    ['0x10', '16'],
    ['-0x10', '-16'],
    ['017', '15'],
    ['0o17', '15'],
    ['08', '8'],
    ['0b11', '3'],
    ['1_000', '1000'],
    ['+5', '5'],
    ['1.', '1'],
    ['.5', '0.5'],
    ['1e3', '1000'],
    ['123456.789', '123456.79'],
    ['999999.0', '999999'],
    ['1000000.0', '1e+06'],
    ['1234567.5', '1.2345675e+06'],
    ['16777217.0', '1.6777216e+07'],
    ['21e6', '2.1e+07'],
    ['0.0001', '0.0001'],
    ['0.00001', '1e-05'],
    ['-0.0', '-0'],
    ['1e-46', '0'],
    ['3.5e38', '+Inf'],
    ['99999999999999999999', '1e+20'],
    ['18446744073709551615', '18446744073709551615'],
    ['7e+700', '7e+700'],
    ['.5_1', '0.51'],
    ['.5_', '.5_'],
    ['12:30', '12:30'],
    ['2024-01-01', '2024-01-01'],
    ['0x', '0x'],
    ['_1', '_1'],
    ['!!str 0x10', '0x10'],
    ['!!int "5"', '5'],
    ['!!binary aGk=', 'hi'],
    ['! 12', '12'],
    ['"1.10"', '1.10'],
    ["'yes'", 'yes'],
    ['|\n  1.10', '1.10'],
    ['>-\n  a\n  b', 'a b'],
    ['"a\\tb\\u00a0c\\u200bd\\u2028e"', 'a b cd e'],
    ['&v 1.10\nhome: *v', '1.1'],
  ])('%s: %s', (text, expected) => {
    expect(parsed(`appVersion: ${text}\n`).metadata.appVersion?.trimEnd()).toBe(expected)
  })
})

test('the user is told of every text that was not written as one, with its line', () => {
  const { warnings } = parsed('name: demo\nversion: 1.0.0\nappVersion: 1.10\nkeywords: [a, 5]\nannotations: {x: on}\n')
  expect(warnings).toEqual([
    'Chart.yaml:4: keywords: 5 is no text; put it in quotes: "5"',
    'Chart.yaml:3: appVersion: 1.10 is read as "1.1"; put it in quotes: "1.10"',
    'Chart.yaml:5: annotations.x: on is read as "true"; put it in quotes: "on"',
  ])
})

test('a field that helm does not know, or knows by another spelling, is told', () => {
  const { metadata, warnings } = parsed('Name: demo\nicons: x\nmaintainers:\n  - nick: ann\n')
  expect(metadata.name).toBe('demo')
  expect(warnings).toEqual([
    'Chart.yaml:1: "Name": helm knows it as "name"',
    'Chart.yaml:2: "icons": helm does not know it',
    'Chart.yaml:4: "nick": helm does not know it',
  ])
})

test('everything of a wrong kind is told at once', () => {
  const text = `name: [a]
version: {a: b}
keywords: x
deprecated: "true"
annotations: [a]
home: .inf
maintainers: [~, x]
dependencies:
  - name: a
    enabled: 1
`
  expect(parsed(text).problems.toSorted()).toEqual([
    'Chart.yaml:10: enabled is not true or false',
    'Chart.yaml:1: name is not text',
    'Chart.yaml:2: version is not text',
    'Chart.yaml:3: keywords is not a list',
    'Chart.yaml:4: deprecated is not true or false',
    'Chart.yaml:5: annotations is not a map',
    'Chart.yaml:6: .inf is not a number that helm can read',
    'Chart.yaml:7: maintainers[] is not a map',
    'Chart.yaml:7: maintainers[] is not a map',
  ])
})

test.each([
  ['a: [\n', /^Chart\.yaml:\d: /],
  ['- a\n', /is not a map of fields/],
  ['? [a]\n: b\n', /a key that is no text/],
  [
    `a: &a [x]\n${Array.from('bcdefghijk', (key, i) => `${key}: &${key} [${`*${'abcdefghij'.charAt(i)},`.repeat(9)}]`).join('\n')}`,
    /stand for too much/,
  ],
])('%j is no Chart.yaml', (text, problem) => {
  expect(parsed(text).problems.join('\n')).toMatch(problem)
})

test('of a key that stands there twice the last counts, and merges count', () => {
  expect(parsed('base: &b {home: h1}\nname: a\nname: b\n<<: *b\n').metadata).toMatchObject({ name: 'b', home: 'h1' })
})

describe('the config', () => {
  // What `helm push` wrote for these, byte for byte.
  test.each([
    ['name: a\nversion: 1.0.0\n', '{"name":"a","version":"1.0.0","apiVersion":"v1"}'],
    [
      `apiVersion: v2
name: demo
version: 1.2.3+build.7
description: "a <b> & c\\u2028x\\ttab \\u00a0nb \\u200b zw"
keywords: [a, ~, "  b "]
sources: [https://x/y]
maintainers:
  - name: Ann
    email: a@x
  - {}
annotations: {b: "1", a: "\\ttabs", "k<": " v ", "15": x, 1.1: z}
deprecated: yes
kubeVersion: ">=1.2"
appVersion: 1.10
dependencies:
- name: lib
  version: 1.x
  import-values: [data, {parent: b, child: a}]
  tags: [x]
  enabled: true
  condition: ""
`,
      '{"name":"demo","sources":["https://x/y"],"version":"1.2.3+build.7",' +
        '"description":"a \\u003cb\\u003e \\u0026 c x tab  nb  zw","keywords":["a","","  b "],' +
        '"maintainers":[{"name":"Ann","email":"a@x"},{}],"apiVersion":"v2","appVersion":"1.1","deprecated":true,' +
        '"annotations":{"1.1":"z","15":"x","a":"\\ttabs","b":"1","k\\u003c":" v "},"kubeVersion":"\\u003e=1.2",' +
        '"dependencies":[{"name":"lib","version":"1.x","repository":"","tags":["x"],"enabled":true,' +
        '"import-values":["data",{"child":"a","parent":"b"}]}]}',
    ],
  ])('of %j', (text, expected) => {
    const { bytes, descriptor } = chartConfig(parsed(text).metadata)
    expect(Buffer.from(bytes).toString()).toBe(expected)
    expect(descriptor).toMatchObject({ mediaType: 'application/vnd.cncf.helm.config.v1+json', size: bytes.byteLength })
  })
})

describe('another version leaves the rest of the file as it is', () => {
  test.each([
    [
      'name: a # x\nversion:   1.0.0   # y\n\n# z\n',
      'name: a # x\nversion:   "2.0.0+b"   # y\n\n# z\nappVersion: "9"\n',
    ],
    ['version: "1"\r\nappVersion: 1.10\r\n', 'version: "2.0.0+b"\r\nappVersion: "9"\r\n'],
    ['{version: 1, name: a}\n', undefined],
    ['version: 1\nversion: 2\n', 'version: 1\nversion: "2.0.0+b"\nappVersion: "9"\n'],
    ['home: &v 1.0\nversion: *v\n', undefined],
    ['version: &v 1.0\nhome: *v\n', undefined],
    ['version: |\n  1.0\nname: a', undefined],
    ['version:\nname: a\n', undefined],
    ['  version: 1\n  name: a\n', '  version: "2.0.0+b"\n  name: a\n  appVersion: "9"\n'],
    ['name: a\nversion: 1\n---\nb: c\n', undefined],
  ])('%j', (text, expected) => {
    const edited = Buffer.from(editChartYaml(Buffer.from(text), { version: '2.0.0+b', appVersion: '9' })).toString()
    const { metadata, problems } = parsed(edited)
    expect(problems).toEqual([])
    expect(metadata).toMatchObject({ version: '2.0.0+b', appVersion: '9' })
    expect(metadata).toMatchObject({ name: parsed(text).metadata.name, ...home(text) })
    expect(sortedLines(edited)).toEqual(sortedLines(expected ?? edited))
  })

  test('nothing given changes nothing', () => {
    const bytes = Buffer.from('version: 1 # x\n')
    expect(editChartYaml(bytes, { appVersion: '' })).toEqual(new Uint8Array(bytes))
  })
})

/** What the field was before. */
function home(text: string): object {
  const { home } = parsed(text).metadata
  return home === undefined ? {} : { home }
}

function sortedLines(text: string): readonly string[] {
  return text.split('\n').sort()
}
