import { Option } from 'commander'
import type { InputProblem } from '../errors.ts'
import { FIELDS, isSecret, type Field, type FieldName, type FieldValues } from '../publish/fields.ts'

/** What commander read, by its own names for the flags. */
export type Flags = Readonly<Record<string, unknown>>

/** The flags of every field: one, for a boolean also its negation. Secrets are hidden: they are known to be refused. */
export function flagsOf(field: Field): readonly Option[] {
  const flag = `--${field.name}`
  if (field.secret === true) return [new Option(`${flag} <text>`).hideHelp()]
  const said = descriptionOf(field)
  switch (field.kind) {
    case 'boolean':
      return [new Option(`${flag} [true|false]`, said), new Option(`--no-${field.name}`).hideHelp()]
    case 'list':
    case 'lines':
      return [new Option(`${flag} <${field.kind === 'list' ? 'list' : 'line'}>`, said).argParser(collect)]
    case 'number':
    case 'text':
      return [new Option(`${flag} <${field.kind}>`, said)]
  }
}

/** A flag of a command that is no field of a publication, and may be given more than once. */
export function repeatable(flag: string, said: string): Option {
  return new Option(flag, `${said} (may be repeated)`).argParser(collect)
}

function collect(entry: string, entries: readonly string[] = []): readonly string[] {
  return [...entries, entry]
}

function descriptionOf({ sentence, kind, choices, default: byDefault }: Field): string {
  const facts = [
    ...(choices ? [choices.join(', ')] : []),
    ...(byDefault === undefined ? [] : [`default: ${byDefault}`]),
    ...(kind === 'list' || kind === 'lines' ? ['may be repeated'] : []),
  ]
  return facts.length === 0 ? sentence : `${sentence} (${facts.join('; ')})`
}

/** How registries are reached, for commands that take nothing else of a publication. */
export const CONNECTION: readonly Field[] = FIELDS.filter(({ name }) =>
  [
    ...['registry', 'username', 'password', 'github-token', 'registry-auth', 'role-to-assume', 'aws-region'],
    ...['plain-http', 'registry-profile'],
  ].includes(name),
)

/** How signatures are made, for commands that sign what is there. */
export const SIGNING: readonly Field[] = FIELDS.filter(({ name }) =>
  [
    ...['sign-password', 'signature-format', 'sign-annotations', 'predicate-type', 'predicate-path', 'sigstore'],
    ...['fulcio-url', 'rekor-url', 'rekor-version', 'tsa-url', 'signing-config', 'trusted-root', 'github-attestation'],
    ...['follow-links', 'bundle-file', 'notation-key', 'notation-password', 'notation-chain'],
  ].includes(name),
)

/** How content is pushed, and how repositories come to be where a registry wants that done before. */
export const PUSHING: readonly Field[] = FIELDS.filter(({ name }) => name === 'upload' || name.startsWith('ecr-'))

/** What artifacts have in common with images. */
export const ARTIFACT: readonly Field[] = FIELDS.filter(({ name }) =>
  ['tags', 'context', 'follow-links', 'on-existing-tag', 'dry-run', 'source-date-epoch'].includes(name),
)

export interface TypedValues {
  readonly values: FieldValues
  readonly problems: readonly InputProblem[]
}

/** Values of the fields from flags, and from the environment what is not a flag or was not given as one. */
export function valuesOf(flags: Flags, env: NodeJS.ProcessEnv): TypedValues {
  const values: Partial<Record<FieldName, string | readonly string[]>> = {}
  const problems: InputProblem[] = []
  for (const field of FIELDS as readonly (Field & { name: FieldName })[]) {
    const typed = flags[attributeOf(field)]
    const refused = typed !== undefined && isSecret(field, textOf(typed))
    if (refused) problems.push(onCommandLine(field.name))
    const value = refused || typed === undefined ? env[FROM_ENVIRONMENT[field.name] ?? ''] : typed
    if (typeof value === 'string' || isTexts(value)) values[field.name] = value
    else if (typeof value === 'boolean') values[field.name] = `${value}`
  }
  return { values, problems }
}

/** Variables that stand in for a flag; secrets have no other way. */
const FROM_ENVIRONMENT: Readonly<Partial<Record<FieldName, string>>> = {
  registry: 'OCI_PUBLISH_REGISTRY',
  username: 'OCI_PUBLISH_USERNAME',
  password: 'OCI_PUBLISH_PASSWORD',
  'registry-auth': 'OCI_PUBLISH_REGISTRY_AUTH',
  'github-token': 'GITHUB_TOKEN',
  'chart-sign-key': 'OCI_PUBLISH_CHART_SIGN_KEY',
  'chart-sign-passphrase': 'OCI_PUBLISH_CHART_SIGN_PASSPHRASE',
  'sign-key': 'OCI_PUBLISH_SIGN_KEY',
  'sign-password': 'COSIGN_PASSWORD',
  'notation-key': 'OCI_PUBLISH_NOTATION_KEY',
  'notation-password': 'OCI_PUBLISH_NOTATION_PASSWORD',
}

function textOf(typed: unknown): string {
  return typeof typed === 'string' ? typed : ''
}

function onCommandLine(name: FieldName): InputProblem {
  const other = name === 'password' ? ' or use --password-stdin' : ''
  return {
    input: name,
    problem: 'secrets are not taken from the command line, where every process can read them',
    hint: `set ${FROM_ENVIRONMENT[name] ?? 'the environment'}${other}`,
  }
}

function attributeOf(field: Field): string {
  return flagsOf(field)[0]?.attributeName() ?? field.name
}

/** What was given for a flag that may be repeated. */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(one => typeof one === 'string') : []
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(one => typeof one === 'string')
}
