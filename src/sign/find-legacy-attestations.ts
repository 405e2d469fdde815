import type { Abortable } from '../async/abortable.ts'
import type { Source } from '../content/ports.ts'
import { readAll } from '../content/verify.ts'
import { OciPublishError, messageOf } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { MAX_BUNDLE_BYTES, type SignedEnvelope } from './bundle.ts'
import { IN_TOTO } from './envelope.ts'
import { isEqualStatement, type WantedStatement } from './equal.ts'
import { parseEnvelope } from './envelope-json.ts'
import { readLegacyManifest, type FindLegacyOptions, type LegacyManifest } from './find-legacy.ts'
import { LEGACY_PREDICATE_TYPE } from './legacy-attestation.ts'
import { LEGACY_ENVELOPE } from './legacy.ts'
import { logEntryOf, parseLegacyMaterial } from './parse-legacy.ts'
import { parseStatement, type Statement } from './statement.ts'
import { isUnreadable } from './unreadable.ts'

/** An attestation in the older form. Nothing of it is verified. */
export interface FoundLegacyAttestation {
  /** Of the envelope. */
  readonly layer: Descriptor
  /** What it would be as a bundle. */
  readonly bundle: SignedEnvelope
  readonly statement: Statement
}

export interface FindLegacyAttestationsOptions extends FindLegacyOptions {
  /** Only those that state one of these. */
  readonly predicateTypes?: ReadonlySet<string> | undefined
}

/** Bytes of envelopes that are fetched for one subject: more is an attack or a mistake. */
const MAX_FETCHED_BYTES = 4 * MAX_BUNDLE_BYTES

/**
 * Finds the attestations in the older form that a manifest has, in their order. What cannot be read is told and left out.
 *
 * @throws {OciPublishError} as `readLegacyManifest`
 */
export async function* findLegacyAttestations(
  source: Source,
  subject: Pick<Descriptor, 'digest'>,
  options: FindLegacyAttestationsOptions = {},
): AsyncGenerator<FoundLegacyAttestation> {
  const found = await readLegacyManifest(source, subject, 'attestation', options)
  if (found) yield* attestationsIn(source, found, options)
}

/** Whether what is attested in the older form makes another attestation needless. */
export async function isAttestedInOlderForm(
  source: Source,
  wanted: WantedStatement,
  { signal }: Abortable = {},
): Promise<boolean> {
  const predicateTypes = new Set([wanted.statement.predicateType])
  for await (const found of findLegacyAttestations(source, { digest: wanted.subject }, { predicateTypes, signal })) {
    if (isEqualStatement(found, wanted)) return true
  }
  return false
}

/** Reads the attestations that a manifest of the older form holds, one after the other, and only as many as are asked for. */
export async function* attestationsIn(
  source: Source,
  { document, manifest }: LegacyManifest,
  { predicateTypes, signal, onUnreadable = (): void => undefined }: FindLegacyAttestationsOptions = {},
): AsyncGenerator<FoundLegacyAttestation> {
  let fetched = 0
  for (const [i, layer] of manifest.layers.entries()) {
    if (layer.mediaType !== LEGACY_ENVELOPE) continue
    const told = layer.annotations?.[LEGACY_PREDICATE_TYPE] ?? ''
    // What is not told may be what is wanted.
    if (told !== '' && predicateTypes && !predicateTypes.has(told)) continue
    const where = `${source.place}@${document.descriptor.digest}, attestation ${i + 1}`
    try {
      if (layer.size > MAX_BUNDLE_BYTES) {
        throw new OciPublishError('TOO_LARGE', `${where} has more than ${MAX_BUNDLE_BYTES} bytes`)
      }
      fetched += layer.size
      if (fetched > MAX_FETCHED_BYTES) {
        onUnreadable(`${where}: it and those after it were not looked at: ${MAX_FETCHED_BYTES} bytes are the limit`)
        return
      }
      const open = source.open(layer, { signal })
      const bytes = await readAll(open, { maxBytes: MAX_BUNDLE_BYTES, what: where, signal })
      const found = attestationOf(layer, bytes, where)
      if (!predicateTypes || predicateTypes.has(found.statement.predicateType)) yield found
    } catch (error) {
      if (!isUnreadable(error)) throw error
      onUnreadable(messageOf(error))
    }
  }
}

function attestationOf(layer: Descriptor, bytes: Uint8Array, where: string): FoundLegacyAttestation {
  const envelope = parseEnvelope(bytes, where)
  const { payloadType, payload } = envelope
  if (payloadType !== IN_TOTO) {
    throw new OciPublishError('INVALID_DOCUMENT', `${where}: holds a "${payloadType}", and statements are "${IN_TOTO}"`)
  }
  const { certificate, chain, log, timestamp } = parseLegacyMaterial(layer.annotations ?? {}, where)
  const bundle = {
    envelope,
    certificate,
    chain,
    keyHint: undefined,
    logEntries: log ? [logEntryOf(log, `${where}, log entry`)] : [],
    timestamps: timestamp ? [timestamp] : [],
    timestamped: bytes,
  }
  return { layer, bundle, statement: parseStatement(payload, `${where}, statement`) }
}
