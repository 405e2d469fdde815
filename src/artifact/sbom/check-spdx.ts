import * as v from 'valibot'

const ID = /^SPDXRef-[A-Za-z0-9.-]+$/
const REFERENCE = /^(?:(?:DocumentRef-[A-Za-z0-9.-]+:)?SPDXRef-[A-Za-z0-9.-]+|NONE|NOASSERTION)$/
const CREATOR = /^(?:Person|Organization|Tool): ?\S/

const text = (): v.GenericSchema<unknown, string> => v.pipe(v.string('is missing'), v.nonEmpty('is empty'))
const id = (): v.GenericSchema<unknown, string> =>
  v.pipe(v.string('is missing'), v.regex(ID, 'is not of the form SPDXRef-…'))
const endpoint = (): v.GenericSchema<unknown, string> =>
  v.pipe(v.string('is missing'), v.regex(REFERENCE, 'is not of the form SPDXRef-…'))

const checksums = v.array(
  v.object(
    {
      algorithm: text(),
      checksumValue: v.pipe(v.string('is missing'), v.regex(/^[0-9a-f]+$/i, 'is not hexadecimal')),
    },
    'is missing',
  ),
  'is not a list',
)

const element = v.object({ SPDXID: id() }, 'is missing')

const documentSchema = v.object(
  {
    SPDXID: v.literal('SPDXRef-DOCUMENT', 'is not SPDXRef-DOCUMENT'),
    name: text(),
    dataLicense: v.literal('CC0-1.0', 'is not CC0-1.0'),
    documentNamespace: v.pipe(
      v.string('is missing'),
      v.regex(/^[a-z][a-z0-9+.-]*:[^\s#]+$/i, 'is not an absolute URI without "#"'),
    ),
    creationInfo: v.object(
      {
        created: v.pipe(
          v.string('is missing'),
          v.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/, 'is not of the form 2026-01-31T12:00:00Z'),
        ),
        creators: v.pipe(
          v.array(
            v.pipe(v.string('is not text'), v.regex(CREATOR, 'does not begin with Person:, Organization: or Tool:')),
            'is missing',
          ),
          v.minLength(1, 'is empty'),
        ),
      },
      'is missing',
    ),
    packages: v.optional(
      v.array(
        v.object(
          {
            SPDXID: id(),
            name: text(),
            downloadLocation: text(),
            versionInfo: v.optional(v.string('is not text')),
            checksums: v.optional(checksums),
            externalRefs: v.optional(
              v.array(
                v.object({ referenceCategory: text(), referenceType: text(), referenceLocator: text() }, 'is missing'),
                'is not a list',
              ),
            ),
          },
          'is missing',
        ),
        'is not a list',
      ),
    ),
    files: v.optional(
      v.array(
        v.object(
          { SPDXID: id(), fileName: text(), checksums: v.pipe(checksums, v.minLength(1, 'is empty')) },
          'is missing',
        ),
        'is not a list',
      ),
    ),
    snippets: v.optional(v.array(element, 'is not a list')),
    relationships: v.optional(
      v.array(
        v.object(
          {
            spdxElementId: endpoint(),
            relatedSpdxElement: endpoint(),
            relationshipType: v.pipe(v.string('is missing'), v.regex(/^[A-Z][A-Z_]+$/, 'is not in capital letters')),
          },
          'is missing',
        ),
        'is not a list',
      ),
    ),
  },
  'is missing',
)

type SpdxDocument = v.InferOutput<typeof documentSchema>

const MAX_PROBLEMS = 20

/**
 * What the SPDX specification 2.3 requires of a document, and that what is referred to is there.
 *
 * @returns every problem with its place, at most some of them; none when it is as it should be
 */
export function spdxProblems(document: object, version: string): readonly string[] {
  if (version !== 'SPDX-2.2' && version !== 'SPDX-2.3')
    return [`spdxVersion is "${version}"; known are SPDX-2.2 and SPDX-2.3`]
  const { success, output, issues } = v.safeParse(documentSchema, document)
  const all = success
    ? referenceProblems(output)
    : issues.map(issue => `${v.getDotPath(issue) ?? 'it'} ${issue.message}`)
  const left = all.length - MAX_PROBLEMS
  return left > 0 ? [...all.slice(0, MAX_PROBLEMS), `and ${left} more`] : all
}

function referenceProblems({ SPDXID, packages, files, snippets, relationships }: SpdxDocument): readonly string[] {
  const problems: string[] = []
  const known = new Set<string>([SPDXID])
  for (const one of [...(packages ?? []), ...(files ?? []), ...(snippets ?? [])]) {
    if (known.has(one.SPDXID)) problems.push(`${one.SPDXID} is there twice`)
    known.add(one.SPDXID)
  }
  for (const [index, { spdxElementId, relatedSpdxElement }] of (relationships ?? []).entries()) {
    for (const reference of [spdxElementId, relatedSpdxElement]) {
      if (reference.startsWith('SPDXRef-') && !known.has(reference)) {
        problems.push(`relationships.${index} is about ${reference}, which is not there`)
      }
    }
  }
  return problems
}
