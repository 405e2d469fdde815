import type { Statement, Subject } from '../sign/statement.ts'
import { parsePredicate } from './predicate.ts'

/**
 * For each media type of an SBOM, its type as a predicate. SPDX goes without its version, which is in the document: so
 * write and look for it BuildKit and cosign (`--type spdxjson`).
 */
const PREDICATE_TYPES: Readonly<Record<string, string>> = {
  'application/spdx+json': 'https://spdx.dev/Document',
  'application/vnd.cyclonedx+json': 'https://cyclonedx.org/bom',
}

/** An SBOM as it is attached. */
export interface SbomDocument {
  readonly mediaType: string
  /** JSON. */
  readonly bytes: Uint8Array
}

/** The type under which an SBOM is attested; undefined for a media type that is none of an SBOM in JSON. */
export function sbomPredicateType(mediaType: string): string | undefined {
  return Object.hasOwn(PREDICATE_TYPES, mediaType) ? PREDICATE_TYPES[mediaType] : undefined
}

/**
 * States that a document is the SBOM of its subjects; undefined where it is no SBOM.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT
 */
export function sbomStatement({ mediaType, bytes }: SbomDocument, subjects: readonly Subject[]): Statement | undefined {
  const predicateType = sbomPredicateType(mediaType)
  if (predicateType === undefined) return undefined
  return { subjects, predicateType, predicate: parsePredicate(bytes, 'the SBOM') }
}
