import { provenance } from '../../src/attest/provenance.ts'
import { localPlace } from '../../src/attest/build-place.ts'
import { sbomPredicateType, sbomStatement } from '../../src/attest/sbom-statement.ts'
import { attestationStatements } from '../../src/attest/statements.ts'
import { hexOf, parseDigest } from '../../src/oci/digest.ts'
import { parseStatement, serializeStatement } from '../../src/sign/statement.ts'

const digest = (digit: string): ReturnType<typeof parseDigest> => parseDigest(`sha256:${digit.repeat(64)}`)
const [INDEX, AMD, ARM] = [digest('1'), digest('2'), digest('3')]
const NAME = 'ghcr.io/org/app'
const CDX = 'application/vnd.cyclonedx+json'
const bytes = (document: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(document))
const built = provenance({ where: localPlace(), inputs: {}, materials: [], version: '1' })

test('provenance and predicates are of all that was published, SBOMs of their platform and the index', () => {
  const made = attestationStatements({
    subjects: { index: INDEX, platforms: [AMD, ARM] },
    name: NAME,
    provenance: built,
    sboms: [
      { platform: AMD, mediaType: CDX, bytes: bytes({ bomFormat: 'CycloneDX', version: 1 }) },
      { platform: ARM, mediaType: 'application/spdx+json', bytes: bytes({ spdxVersion: 'SPDX-2.3' }) },
    ],
    predicates: [{ type: 'https://example.com/scan/v1', predicate: { clean: true } }],
  })
  const all = [INDEX, AMD, ARM].map(digest => ({ name: NAME, digest }))
  expect(made).toEqual([
    {
      statement: { subjects: all, predicateType: 'https://slsa.dev/provenance/v1', predicate: built.predicate },
      attachTo: [INDEX, AMD, ARM],
    },
    {
      statement: { subjects: all, predicateType: 'https://example.com/scan/v1', predicate: { clean: true } },
      attachTo: [INDEX, AMD, ARM],
    },
    {
      statement: {
        subjects: [AMD, INDEX].map(digest => ({ name: NAME, digest })),
        predicateType: 'https://cyclonedx.org/bom',
        predicate: { bomFormat: 'CycloneDX', version: 1 },
      },
      attachTo: [AMD, INDEX],
    },
    {
      statement: {
        subjects: [ARM, INDEX].map(digest => ({ name: NAME, digest })),
        predicateType: 'https://spdx.dev/Document',
        predicate: { spdxVersion: 'SPDX-2.3' },
      },
      attachTo: [ARM, INDEX],
    },
  ])
})

test('what is signed is an in-toto statement, to the byte', () => {
  const [made] = attestationStatements({ subjects: { index: INDEX, platforms: [AMD] }, name: NAME, provenance: built })
  if (!made) throw new Error('nothing was made')
  const signed = serializeStatement(made.statement)
  expect(JSON.parse(new TextDecoder().decode(signed))).toEqual({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [
      { name: NAME, digest: { sha256: hexOf(INDEX) } },
      { name: NAME, digest: { sha256: hexOf(AMD) } },
    ],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: built.predicate,
  })
  expect(parseStatement(signed, 'it').predicate).toEqual(built.predicate)
})

test.each([
  ['of a single image', { platforms: [AMD] }, [AMD]],
  ['of a single image whose digest is told twice', { index: AMD, platforms: [AMD] }, [AMD]],
  ['of a chart, which has no platforms', { index: INDEX, platforms: [] }, [INDEX]],
])('a statement %s has each digest once', (_, subjects, attachTo) => {
  const [made, ...more] = attestationStatements({ subjects, name: NAME, provenance: built })
  expect(made?.attachTo).toEqual(attachTo)
  expect(made?.statement.subjects).toEqual(attachTo.map(digest => ({ name: NAME, digest })))
  expect(more).toEqual([])
})

test('nothing is stated that was not asked for', () => {
  expect(attestationStatements({ subjects: { platforms: [AMD] }, name: NAME })).toEqual([])
})

test('what is no SBOM is not attested as one', () => {
  expect(sbomPredicateType('toString')).toBeUndefined()
  expect(sbomStatement({ mediaType: 'text/spdx', bytes: bytes({}) }, [])).toBeUndefined()
  expect(
    attestationStatements({
      subjects: { platforms: [AMD] },
      name: NAME,
      sboms: [{ platform: AMD, mediaType: 'text/plain', bytes: bytes({}) }],
    }),
  ).toEqual([])
  expect(() => sbomStatement({ mediaType: CDX, bytes: bytes([]) }, [])).toThrow(
    'the SBOM: a predicate is a JSON object, this is a list',
  )
})
