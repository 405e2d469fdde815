import { SIGNATURE_PREDICATE } from './statement.ts'

/** Names that cosign and GitHub's tools have made known, and one for the signature itself. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['signature', SIGNATURE_PREDICATE],
  ['slsaprovenance', 'https://slsa.dev/provenance/v0.2'],
  ['slsaprovenance02', 'https://slsa.dev/provenance/v0.2'],
  ['slsaprovenance1', 'https://slsa.dev/provenance/v1'],
  ['spdx', 'https://spdx.dev/Document'],
  ['spdxjson', 'https://spdx.dev/Document'],
  ['cyclonedx', 'https://cyclonedx.org/bom'],
  ['vuln', 'https://cosign.sigstore.dev/attestation/vuln/v1'],
  ['openvex', 'https://openvex.dev/ns'],
  ['custom', 'https://cosign.sigstore.dev/attestation/v1'],
])

/** The short names of predicate types, for messages. */
export const PREDICATE_NAMES: readonly string[] = [...NAMES.keys()]

/** The predicate type that is meant by a short name or a URI; undefined for what is neither. */
export function predicateTypeOf(text: string): string | undefined {
  return NAMES.get(text) ?? (/^[a-z][a-z0-9+.-]*:[^\s]+$/i.test(text) ? text : undefined)
}
