import { readEntries } from './entries.ts'
import type { FieldName, FieldValues } from './fields.ts'

const STATING = [
  'sign-key',
  'notation-key',
  'predicate-type',
  'predicate-path',
  'verify-base',
] as const satisfies readonly FieldName[]

/**
 * Whether a run puts a name to what it publishes, or wants a base with one: it signs, attests, describes (an SBOM), or
 * verifies the base. Then nothing counts that others could have written: neither what an earlier publication says of its
 * layers, nor what a cache remembers.
 */
export function vouches(values: FieldValues): boolean {
  const entries = readEntries(values)
  const signs = entries.of('sign').some(way => !/^(?:false|none|no|off)$/i.test(way))
  // What is neither true nor false is told with the other problems, before anything is done.
  const states = (['provenance', 'sbom', 'github-attestation'] as const).some(name => entries.boolean(name, []))
  return signs || states || STATING.some(name => entries.of(name).length > 0)
}
