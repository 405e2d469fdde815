import type { InputProblem } from '../errors.ts'
import { readEntries, type Entries } from './entries.ts'
import { FIELD_KINDS, type Kind } from './field-kinds.ts'
import { FIELDS, entriesOf, type Field, type FieldName, type FieldValues } from './fields.ts'
import type { Kinds } from './kinds.ts'

/**
 * What is wrong with any field, whatever is published: a value that its kind or its choices do not allow, and one that means
 * nothing for what is published. The parsers of each kind find the rest.
 */
export function fieldProblems(values: FieldValues, kinds: Kinds): readonly InputProblem[] {
  const fields: readonly (Field & { readonly name: FieldName })[] = FIELDS
  const entries = readEntries(values)
  return fields.flatMap(field =>
    FIELD_KINDS[field.name].some(kind => kinds[kind])
      ? malformed(field, entries)
      : isGiven(field, values)
        ? [misplaced(field.name, kinds)]
        : [],
  )
}

/** The action fills in defaults: a value that equals the default says nothing. */
function isGiven(field: Field & { readonly name: FieldName }, values: FieldValues): boolean {
  const given = entriesOf(field, values[field.name])
  const byDefault = entriesOf(field, field.default)
  if (field.kind === 'boolean' && given.length === 1 && field.default === 'false') return !isFalse(given[0] ?? '')
  return given.length > 0 && given.join('\n') !== byDefault.join('\n')
}

function isFalse(text: string): boolean {
  return /^(?:false|no|off|0)$/i.test(text)
}

function malformed(
  { name, kind, choices = [] }: Field & { readonly name: FieldName },
  entries: Entries,
): InputProblem[] {
  const problems: InputProblem[] = []
  if (kind === 'boolean') entries.boolean(name, problems)
  if (kind === 'number') entries.number(name, problems)
  if (choices.length > 0 && entries.text(name) !== undefined) entries.choice(name, choices, problems)
  if (kind !== 'list' && kind !== 'lines') problems.push(...several(name, entries))
  return problems
}

/** Only the first of several lines would be read. */
function several(name: FieldName, entries: Entries): readonly InputProblem[] {
  const { length } = entries.of(name)
  return length > 1 && !DOCUMENTS.has(name)
    ? [{ input: name, problem: `takes one value, and has ${length} lines` }]
    : []
}

/** Texts in which lines are no entries. */
const DOCUMENTS: ReadonlySet<FieldName> = new Set<FieldName>([
  ...(['chart-sign-key', 'chart-sign-passphrase', 'sign-key', 'sign-password'] as const),
  ...(['notation-key', 'notation-password', 'notation-chain'] as const),
  ...(['password', 'registry-auth', 'healthcheck'] as const),
])

const APPLIES: Readonly<Record<Kind, string>> = {
  image: 'applies to images only',
  chart: 'applies to charts only',
  files: 'applies to artifacts made of files only',
}

/** What could be done about it, where that is not the same for all. */
const HINTS: Readonly<Partial<Record<FieldName, string>>> = {
  attach: 'attach to what was published with "oci-publish attach"',
  sbom: 'describe an image that was published with "oci-publish sbom --attach"',
  annotations: 'write annotations of a chart into its Chart.yaml',
}

function misplaced(input: FieldName, kinds: Kinds): InputProblem {
  const [only = 'image'] = FIELD_KINDS[input]
  const problem = `${APPLIES[only]}, and ${publishedText(kinds)}`
  return { input, problem, hint: HINTS[input] ?? hintFor(only, kinds) }
}

function publishedText({ files, chart }: Kinds): string {
  if (files) return 'files are published as an artifact'
  return chart ? 'only a chart is published' : 'no chart is published'
}

function hintFor(only: Kind, { files }: Kinds): string {
  if (files) return `publish the ${only} in a step of its own`
  return only === 'chart' ? 'set "chart"' : 'an image needs "layers" or "base-image"'
}

/** What is given and does nothing, where that is no mistake: the same inputs may serve several steps. */
export function fieldNotices(values: FieldValues): readonly string[] {
  const entries = readEntries(values)
  const fields: readonly (Field & { readonly name: FieldName })[] = FIELDS
  const idle = fields.filter(field => field.name.startsWith('ecr-') && isGiven(field, values)).map(({ name }) => name)
  const hasPassword = entries.document('password').trim() !== ''
  const login = (['registry', 'username'] as const).filter(name => entries.text(name) !== undefined)
  return [
    ...(idle.length > 0 && !entries.boolean('ecr-create-repository', [])
      ? [`${idle.join(', ')}: not used, because ecr-create-repository is not true`]
      : []),
    ...(login.length > 0 && !hasPassword ? [`${login.join(', ')}: not used, because password is empty`] : []),
  ]
}
