import type { ErrorObject } from 'ajv'

type Load = () => Promise<{ readonly default: object }>

/** Versions whose JSON schema is at hand. */
const SCHEMAS: Readonly<Record<string, Load>> = {
  '1.4': () =>
    import('../../../node_modules/@cyclonedx/cyclonedx-library/res/schema/bom-1.4.SNAPSHOT.schema.json', {
      with: { type: 'json' },
    }),
  '1.5': () =>
    import('../../../node_modules/@cyclonedx/cyclonedx-library/res/schema/bom-1.5.SNAPSHOT.schema.json', {
      with: { type: 'json' },
    }),
  '1.6': () =>
    import('../../../node_modules/@cyclonedx/cyclonedx-library/res/schema/bom-1.6.SNAPSHOT.schema.json', {
      with: { type: 'json' },
    }),
  '1.7': () =>
    import('../../../node_modules/@cyclonedx/cyclonedx-library/res/schema/bom-1.7.SNAPSHOT.schema.json', {
      with: { type: 'json' },
    }),
}

const BASE = 'http://cyclonedx.org/schema/'

/** What the schemas refer to, by names that are not those that these give themselves. */
const REFERRED: Readonly<Record<string, Load>> = {
  'spdx.SNAPSHOT.schema.json': () =>
    import('../../../node_modules/@cyclonedx/cyclonedx-library/res/schema/spdx.SNAPSHOT.schema.json', {
      with: { type: 'json' },
    }),
  'jsf-0.82.SNAPSHOT.schema.json': () =>
    import('../../../node_modules/@cyclonedx/cyclonedx-library/res/schema/jsf-0.82.SNAPSHOT.schema.json', {
      with: { type: 'json' },
    }),
  'cryptography-defs.SNAPSHOT.schema.json': () =>
    import('../../../node_modules/@cyclonedx/cyclonedx-library/res/schema/cryptography-defs.SNAPSHOT.schema.json', {
      with: { type: 'json' },
    }),
}

/** Of text that a schema calls by these names; others of the schemas say nothing that a regular expression can check. */
const FORMATS: Readonly<Record<string, RegExp | true>> = {
  date: /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/,
  'date-time':
    /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:[.]\d+)?(?:Z|[+-]\d{2}:?\d{2})$/i,
  email: /^[^\s@]+@[^\s@]+$/,
  'idn-email': /^[^\s@]+@[^\s@]+$/,
  'iri-reference': /^[^\s<>"{}|\\^`]*$/,
  uri: /^[a-z][a-z0-9+.-]*:[^\s<>"{}|\\^`]*$/i,
  base64: true,
}

const MAX_PROBLEMS = 20

/** @returns every problem of a CycloneDX document with its place, at most some of them; none when it is as it should be */
export async function cycloneDxProblems(document: object, version: string): Promise<readonly string[]> {
  const load = SCHEMAS[version]
  if (!load) return [`specVersion is "${version}"; known are ${Object.keys(SCHEMAS).join(', ')}`]
  const { default: ajvModule } = await import('ajv')
  // The schemas have words of other drafts that say nothing here.
  const ajv = new ajvModule.Ajv({ allErrors: true, strict: false, logger: false, formats: FORMATS })
  for (const [name, loadReferred] of Object.entries(REFERRED))
    ajv.addSchema((await loadReferred()).default, BASE + name)
  if (ajv.validate((await load()).default, document)) return []
  return told(ajv.errors ?? [])
}

/** Where one of several forms was expected, what was wrong with each of them says less than the place. */
function told(errors: readonly ErrorObject[]): readonly string[] {
  const texts = errors.map(({ instancePath, keyword, message, params }) => {
    const place = instancePath === '' ? 'it' : instancePath.slice(1).replaceAll('/', '.')
    const { allowedValues, additionalProperty } = params as Readonly<Record<string, unknown>>
    if (keyword === 'additionalProperties') return `${place} has "${String(additionalProperty)}", which is not known`
    const few = Array.isArray(allowedValues) && allowedValues.length <= 12 ? `: ${allowedValues.join(', ')}` : ''
    return `${place} ${message ?? 'is wrong'}${few}`
  })
  const all = [...new Set(texts)]
  const left = all.length - MAX_PROBLEMS
  return left > 0 ? [...all.slice(0, MAX_PROBLEMS), `and ${left} more`] : all
}
