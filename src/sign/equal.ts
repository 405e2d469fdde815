import { isDeepStrictEqual } from 'node:util'
import { digestOf, type Digest } from '../oci/digest.ts'
import type { SignedEnvelope } from './bundle.ts'
import { preAuthEncoding } from './envelope.ts'
import type { LegacySignature } from './parse-legacy.ts'
import { isSignedBy } from './same-signer.ts'
import type { SignedBy } from './signer.ts'
import type { Statement, Subject } from './statement.ts'

/** By whom a signature would be, and who would testify to it. */
interface WantedSignature {
  readonly by: SignedBy
  /** What is there has to be in a log as well. */
  readonly log?: boolean
  /** What is there has to be timestamped as well. */
  readonly timestamp?: boolean
}

export interface WantedStatement extends WantedSignature {
  readonly statement: Statement
  /** Which of the statement's subjects is asked about. */
  readonly subject: Digest
}

/** A statement that is there, in either form. */
interface StatedThere {
  readonly statement: Statement
  readonly bundle: SignedEnvelope
}

export interface WantedLegacySignature extends WantedSignature {
  readonly payload: Uint8Array
}

const SLSA_PROVENANCE = 'https://slsa.dev/provenance/v1'

/**
 * Whether what is attested makes another attestation needless: it says the same of that subject, by the same signer, with at least the
 * same witnesses. Of provenance what differs from run to run (`runDetails.metadata`) does not count.
 */
export function isEqualStatement(existing: StatedThere, wanted: WantedStatement): boolean {
  const { statement, bundle } = existing
  const { certificate, envelope, logEntries, timestamps } = bundle
  const witnesses = { log: logEntries.length > 0, timestamp: timestamps.length > 0 }
  return (
    statement.predicateType === wanted.statement.predicateType &&
    isSameSubject(statement, wanted) &&
    isDeepStrictEqual(comparable(statement), comparable(wanted.statement)) &&
    isWitnessed(witnesses, certificate !== undefined, wanted) &&
    isSignedBy({ bytes: preAuthEncoding(envelope), signature: envelope.signature, certificate }, wanted.by)
  )
}

/** Whether there is a signature in the older form already over this payload, by the same signer. */
export function hasEqualLegacySignature(
  existing: readonly LegacySignature[],
  { payload: bytes, ...wanted }: WantedLegacySignature,
): boolean {
  const digest = digestOf(bytes)
  return existing.some(({ payload, signature, certificate, log, timestamp }) => {
    const witnesses = { log: log !== undefined, timestamp: timestamp !== undefined }
    return (
      payload.digest === digest &&
      isWitnessed(witnesses, certificate !== undefined, wanted) &&
      isSignedBy({ bytes, signature, certificate }, wanted.by)
    )
  })
}

function isSameSubject(statement: Statement, wanted: WantedStatement): boolean {
  const subjectOf = ({ subjects }: Statement): Subject | undefined =>
    subjects.find(({ digest }) => digest === wanted.subject)
  const [there, asked] = [subjectOf(statement), subjectOf(wanted.statement)]
  return (
    there !== undefined && asked !== undefined && isDeepStrictEqual(there.annotations ?? {}, asked.annotations ?? {})
  )
}

/** A certificate lives for minutes: without anybody who says when, the signature is worth nothing afterwards. */
function isWitnessed(
  there: { readonly log: boolean; readonly timestamp: boolean },
  isCertified: boolean,
  { log = false, timestamp = false }: WantedSignature,
): boolean {
  if (isCertified && !there.log && !there.timestamp) return false
  return (there.log || !log) && (there.timestamp || !timestamp)
}

/** A predicate as it is after being written and read, without what differs from run to run. */
function comparable({ predicateType, predicate }: Statement): unknown {
  const json: unknown = JSON.parse(JSON.stringify(predicate ?? null))
  if (predicateType !== SLSA_PROVENANCE || !isRecord(json) || !isRecord(json['runDetails'])) return json
  return { ...json, runDetails: { ...json['runDetails'], metadata: undefined } }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
