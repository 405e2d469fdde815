import { checkSbom } from '../../../src/artifact/sbom/check-sbom.ts'

const check = (document: unknown) =>
  checkSbom(Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)))

const CYCLONEDX = {
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  version: 1,
  serialNumber: 'urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79',
  components: [{ type: 'library', name: 'a', version: '1', licenses: [{ license: { id: 'MIT' } }] }],
}

const SPDX = {
  spdxVersion: 'SPDX-2.3',
  SPDXID: 'SPDXRef-DOCUMENT',
  dataLicense: 'CC0-1.0',
  name: 'app',
  documentNamespace: 'https://example.com/app-1',
  creationInfo: { created: '2026-01-31T12:00:00Z', creators: ['Tool: x-1'] },
  packages: [{ SPDXID: 'SPDXRef-a', name: 'a', downloadLocation: 'NOASSERTION' }],
  relationships: [
    { spdxElementId: 'SPDXRef-DOCUMENT', relatedSpdxElement: 'SPDXRef-a', relationshipType: 'DESCRIBES' },
    { spdxElementId: 'SPDXRef-a', relatedSpdxElement: 'NOASSERTION', relationshipType: 'DEPENDS_ON' },
  ],
}

test.each(['1.4', '1.5', '1.6', '1.7'])(
  'CycloneDX %s is taken, and what is wrong with it is found',
  async specVersion => {
    expect(await check({ ...CYCLONEDX, specVersion })).toEqual({
      artifactType: 'application/vnd.cyclonedx+json',
      form: `CycloneDX ${specVersion}`,
      problems: [],
    })
    const { problems } = await check({ ...CYCLONEDX, specVersion, components: [{ name: 'a' }], versoin: 1 })
    expect(problems).toContain("components.0 must have required property 'type'")
    expect(problems).toContain('it has "versoin", which is not known')
  },
)

test.each<[string, unknown, string]>([
  [
    'a version that nobody checks here',
    { ...CYCLONEDX, specVersion: '1.2' },
    'specVersion is "1.2"; known are 1.4, 1.5, 1.6, 1.7',
  ],
  [
    'a type that is none',
    { ...CYCLONEDX, metadata: { lifecycles: [{ phase: 'lunch' }] } },
    'metadata.lifecycles.0.phase must be equal to one of the allowed values: design, pre-build, build, post-build, operations, discovery, decommission',
  ],
  [
    'a time that is none',
    { ...CYCLONEDX, metadata: { timestamp: 'yesterday' } },
    'metadata.timestamp must match format "date-time"',
  ],
  [
    'a licence that SPDX does not know',
    { ...CYCLONEDX, components: [{ type: 'library', name: 'a', licenses: [{ license: { id: 'Mine' } }] }] },
    'components.0.licenses.0.license.id must be equal to one of the allowed values',
  ],
])('CycloneDX: %s', async (_name, document, problem) => {
  expect((await check(document)).problems).toContain(problem)
})

test('SPDX 2.3 is taken', async () => {
  expect(await check(SPDX)).toEqual({ artifactType: 'application/spdx+json', form: 'SPDX-2.3', problems: [] })
})

test.each<[string, unknown, readonly string[]]>([
  [
    'all that is missing is told at once',
    { spdxVersion: 'SPDX-2.3' },
    [
      'SPDXID is missing',
      'name is missing',
      'dataLicense is missing',
      'documentNamespace is missing',
      'creationInfo is missing',
    ],
  ],
  [
    'a package without a place',
    { ...SPDX, packages: [{ SPDXID: 'SPDXRef-a', name: 'a' }] },
    ['packages.0.downloadLocation is missing'],
  ],
  ['two of one name', { ...SPDX, packages: [...SPDX.packages, ...SPDX.packages] }, ['SPDXRef-a is there twice']],
  [
    'a relationship to what is not there',
    { ...SPDX, packages: [] },
    [
      'relationships.0 is about SPDXRef-a, which is not there',
      'relationships.1 is about SPDXRef-a, which is not there',
    ],
  ],
  [
    'a namespace with a fragment',
    { ...SPDX, documentNamespace: 'https://example.com/#a' },
    ['documentNamespace is not an absolute URI without "#"'],
  ],
  [
    'an author without a kind',
    { ...SPDX, creationInfo: { ...SPDX.creationInfo, creators: ['me'] } },
    ['creationInfo.creators.0 does not begin with Person:, Organization: or Tool:'],
  ],
  [
    'another version',
    { ...SPDX, spdxVersion: 'SPDX-2.1' },
    ['spdxVersion is "SPDX-2.1"; known are SPDX-2.2 and SPDX-2.3'],
  ],
])('SPDX: %s', async (_name, document, problems) => {
  expect(await check(document)).toMatchObject({ artifactType: 'application/spdx+json', problems })
})

test.each<[string, unknown, string]>([
  ['other JSON', { name: 'x' }, 'it is neither SPDX (no "spdxVersion") nor CycloneDX (no "bomFormat")'],
  ['a list', [], 'it is no JSON object'],
  ['XML', '<?xml version="1.0"?><bom/>', 'it is not JSON; of SPDX and CycloneDX the JSON forms are known'],
  ['tag and value', 'SPDXVersion: SPDX-2.3\n', 'it is not JSON; of SPDX and CycloneDX the JSON forms are known'],
])('%s is no SBOM that could be attached', async (_name, document, problem) => {
  expect(await check(document)).toEqual({ artifactType: undefined, form: undefined, problems: [problem] })
})

test('SPDX 3 is known, and said not to be checked', async () => {
  const found = await check({ '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld', '@graph': [] })
  expect(found).toMatchObject({ artifactType: 'application/spdx+json', form: 'SPDX-3' })
  expect(found.problems).toHaveLength(1)
})

test('a document with a thousand mistakes does not fill the log', async () => {
  const components = Array.from({ length: 1_000 }, () => ({ name: 'a' }))
  const { problems } = await check({ ...CYCLONEDX, components })
  expect(problems).toHaveLength(21)
  expect(problems.at(-1)).toMatch(/^and \d+ more$/)
})
