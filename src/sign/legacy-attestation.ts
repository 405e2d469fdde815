import * as v from 'valibot'
import { bytesBlob, type Blob } from '../content/blob.ts'
import { OciPublishError } from '../errors.ts'
import { digestOf, hexOf } from '../oci/digest.ts'
import type { SignedEnvelope } from './bundle.ts'
import { serializeEnvelope } from './envelope-json.ts'
import { LEGACY_ANNOTATION, LEGACY_ENVELOPE, legacyAnnotations } from './legacy.ts'
import type { LogEntry } from './witness.ts'

/** Annotation of the layer of an attestation: what is stated. */
export const LEGACY_PREDICATE_TYPE = 'predicateType'

/**
 * The layer of an attestation in the older form: the envelope that a bundle holds, with its log entry, so that for this form
 * nothing has to be signed or logged.
 *
 * @param timestamp over `serializeEnvelope`: that of the bundle, which is over the signature, is not looked for here
 * @throws {OciPublishError} UNSUPPORTED where the log entry is one that this form cannot carry
 * @see cosign, ATTESTATION_SPEC.md
 */
export function legacyAttestationLayer(signed: SignedEnvelope, predicateType: string, timestamp?: Uint8Array): Blob {
  const { envelope, certificate, chain = [], logEntries } = signed
  const logEntry = carriedEntryOf(signed)
  if (logEntries.length > 0 && !logEntry) {
    const message =
      'an attestation in the older form cannot carry its log entry: it is none of Rekor 1 over this envelope'
    const hint = 'use a log of version 1, or attest in the form of bundles only'
    throw new OciPublishError('UNSUPPORTED', message, { hint })
  }
  const bytes = new TextEncoder().encode(serializeEnvelope(envelope))
  const annotations = {
    [LEGACY_ANNOTATION.signature]: '', // it is in the envelope
    [LEGACY_PREDICATE_TYPE]: predicateType,
    ...legacyAnnotations({ certificate, chain, logEntry, timestamp }),
  }
  const descriptor = { mediaType: LEGACY_ENVELOPE, size: bytes.byteLength, digest: digestOf(bytes), annotations }
  return bytesBlob({ descriptor, bytes })
}

/**
 * Whether a bundle that is there can be had in the older form, too: its log promises, and knows the envelope by the same
 * hash. Without a log a certificate needs a timestamp of the envelope, for which it is too late.
 */
export function canBeCarried(signed: SignedEnvelope): boolean {
  if (carriedEntryOf(signed)) return true
  return signed.logEntries.length === 0 && signed.certificate === undefined
}

const entrySchema = v.object({
  canonicalizedBody: v.string(),
  inclusionPromise: v.object({ signedEntryTimestamp: v.string() }),
})
const bodySchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    kind: v.literal('dsse'),
    spec: v.object({ envelopeHash: v.object({ algorithm: v.literal('sha256'), value: v.string() }) }),
  }),
)

/** cosign compares the hash of the layer with that of what was sent to the log, where others may have put it otherwise. */
function carriedEntryOf({ envelope, logEntries }: SignedEnvelope): LogEntry | undefined {
  const hash = hexOf(digestOf(Buffer.from(serializeEnvelope(envelope))))
  return logEntries.find(entry => {
    const read = v.safeParse(entrySchema, entry)
    if (!read.success) return false
    const body = v.safeParse(bodySchema, Buffer.from(read.output.canonicalizedBody, 'base64').toString('utf8'))
    return body.success && body.output.spec.envelopeHash.value === hash
  })
}
