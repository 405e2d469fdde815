import type { ShownInputs } from '../attest/provenance.ts'
import { FIELDS, entriesOf, type FieldName, type FieldValues } from './fields.ts'

/**
 * Inputs that a provenance shows: those that decide what is published, and under which names. Who pushes, how it is sent
 * and what is told of it change nothing of that. A field that is not named here is not shown.
 */
const SHOWN: ReadonlySet<FieldName> = new Set<FieldName>([
  'images',
  'tags',
  'platforms',
  'base-image',
  'layers',
  'files',
  'artifact-preset',
  'artifact-type',
  'artifact-config',
  'artifact-model',
  'context',
  'follow-links',
  'entrypoint',
  'cmd',
  'workdir',
  'envs',
  'user',
  'ports',
  'volumes',
  'stop-signal',
  'healthcheck',
  'labels',
  'annotations',
  'index',
  'types',
  'compression',
  'compression-level',
  'chart',
  'chart-version',
  'chart-app-version',
  'chart-values',
  'chart-repository',
  'chart-dependencies',
  'chart-strict',
  'chart-large-files',
  'source-date-epoch',
])

/**
 * What was asked for, as a provenance may show it: entries of a list as a list, what was not given left out. A secret has
 * no place in these fields; credentials in addresses and private keys are cut out all the same.
 */
export function shownInputs(values: FieldValues): ShownInputs {
  return Object.fromEntries(
    FIELDS.filter(({ name, secret }) => SHOWN.has(name) && secret === undefined).flatMap(field => {
      const value = values[field.name]
      const entries = isPrivateKey(value) ? [LEFT_OUT] : entriesOf(field, value).map(withoutCredentials)
      const [first] = entries
      if (first === undefined) return []
      return [[field.name, field.kind === 'list' || field.kind === 'lines' ? entries : first] as const]
    }),
  )
}

const LEFT_OUT = '(left out)'

/** Anywhere in a value: its lines may have become entries of their own. */
function isPrivateKey(value: string | readonly string[] | undefined): boolean {
  return /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/.test([value ?? []].flat().join('\n'))
}

function withoutCredentials(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#]+@/gi, '$1')
}
