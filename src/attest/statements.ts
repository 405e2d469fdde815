import type { Digest } from '../oci/digest.ts'
import type { Statement, Subject } from '../sign/statement.ts'
import type { Predicate } from './predicate.ts'
import { sbomStatement, type SbomDocument } from './sbom-statement.ts'

/** What was published under one name. */
interface AttestedSubjects {
  /** Of the index, or of an artifact that has no platforms. */
  readonly index?: Digest | undefined
  /** Of each platform's manifest. */
  readonly platforms: readonly Digest[]
}

/** The SBOM of one platform. */
interface PlatformSbom extends SbomDocument {
  /** Of the platform's manifest. */
  readonly platform: Digest
}

export interface AttestationParts {
  readonly subjects: AttestedSubjects
  /** `ghcr.io/org/app`: without tag and digest. */
  readonly name: string
  readonly provenance?: Predicate | undefined
  readonly sboms?: readonly PlatformSbom[] | undefined
  readonly predicates?: readonly Predicate[] | undefined
}

/** A statement to be signed once, and the manifests that it is to be attached to. */
export interface Attestation {
  readonly statement: Statement
  /** Its subjects: on each of them somebody may look for it, and it is found only there. */
  readonly attachTo: readonly Digest[]
}

/**
 * What is stated of a publication. Provenance and predicates hold for all of it, so each is one statement with all
 * subjects; an SBOM is of one platform, and hangs on the index too, which is what a tag leads to.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT for an SBOM that is no JSON object
 */
export function attestationStatements(parts: AttestationParts): readonly Attestation[] {
  const { subjects, name, provenance, sboms = [], predicates = [] } = parts
  const { index, platforms } = subjects
  const named = (...digests: readonly (Digest | undefined)[]): readonly Subject[] =>
    [...new Set(digests)].filter(digest => digest !== undefined).map(digest => ({ name, digest }))
  const all = named(index, ...platforms)
  const ofAll = [...(provenance ? [provenance] : []), ...predicates].map(({ type, predicate }): Statement => ({
    subjects: all,
    predicateType: type,
    predicate,
  }))
  const ofPlatforms = sboms.map(({ platform, ...document }) => sbomStatement(document, named(platform, index)))
  return [...ofAll, ...ofPlatforms]
    .filter(statement => statement !== undefined)
    .map(statement => ({ statement, attachTo: statement.subjects.map(({ digest }) => digest) }))
}
