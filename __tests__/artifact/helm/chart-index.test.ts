import { entriesFor } from '../../../src/artifact/helm/chart-index.ts'

const HELM = `apiVersion: v1
entries:
  one:
  - description: |-
      text

      one: not a key
    urls:
    - https://example.com/one-1.10.0.tgz
    version: 1.10
  - digest: abc
    urls: [one.tgz]
    version: 1.0.0
  one-more:
  - urls: [more.tgz]
    version: 2.0.0
generated: "2024-01-01T00:00:00Z"
`
const WIDE = 'entries:\n    one:\n        - urls: [a.tgz]\n          version: 1.10\n    two: []\n'
const FLOW = 'entries: {one: [{urls: [a.tgz], version: 1.10}]}\n'
const ALIAS = 'x: &urls [a.tgz]\nentries:\n  one:\n  - urls: *urls\n    version: 1.10\n'
const JSON_TEXT = JSON.stringify({ entries: { one: [{ version: '1.10', urls: ['a.tgz'] }] } })
const QUOTED = 'entries:\n  "one":\n  - urls: [a.tgz]\n    version: "1.10"\n'

test.each([
  ["helm's own form", HELM],
  ['the same with CRLF', HELM.replaceAll('\n', '\r\n')],
  ['another indentation', WIDE],
  ['one line', FLOW],
  ['an alias', ALIAS],
  ['JSON', JSON_TEXT],
  ['quotes', QUOTED],
])('versions are read from %s, as text', async (_name, index) => {
  const [first] = (await entriesFor('one', index, 'x')) ?? []
  expect(first).toMatchObject({ version: '1.10', urls: [expect.stringMatching(/tgz$/)] })
})

test('all versions of a chart are found, and none of another', async () => {
  const versions = async (name: string): Promise<unknown> =>
    (await entriesFor(name, HELM, 'x'))?.map(({ version }) => version)
  await expect(versions('one')).resolves.toEqual(['1.10', '1.0.0'])
  await expect(versions('one-more')).resolves.toEqual(['2.0.0'])
  await expect(versions('on')).resolves.toBeUndefined()
})

test('a broken entry does not take the others away', async () => {
  const index = 'entries:\n  one:\n  - version: 1.0.0\n  - {version: 2.0.0, urls: [a.tgz]}\n'
  await expect(entriesFor('one', index, 'x')).resolves.toMatchObject([{ version: '2.0.0' }])
})

test.each(['<html></html>', '', '{', 'entries: 1'])('%j is told to be no index', async index => {
  await expect(entriesFor('one', index, 'https://x/index.yaml')).rejects.toThrow(
    'https://x/index.yaml is no index of a chart repository',
  )
})
