import type { X509Certificate } from 'node:crypto'
import * as v from 'valibot'
import { bytesBlob, type Blob } from '../content/blob.ts'
import { OciPublishError } from '../errors.ts'
import type { Annotations } from '../oci/descriptor.ts'
import { attachedTag } from '../oci/attached-tag.ts'
import { digestOf, type Digest } from '../oci/digest.ts'
import type { RegistryReference } from '../oci/reference.ts'
import { isTag } from '../oci/tag.ts'
import { parse } from '../parse.ts'
import { goJson, goJsonMap } from './go-json.ts'
import type { SignedBy } from './signer.ts'
import type { LogEntry } from './witness.ts'

/** Media type of what is signed in the older form of cosign (SIGNATURE_SPEC.md, "Payload"). */
export const LEGACY_PAYLOAD = 'application/vnd.dev.cosign.simplesigning.v1+json'

/** Media type of an envelope there, which is what is attested (cosign, ATTESTATION_SPEC.md). */
export const LEGACY_ENVELOPE = 'application/vnd.dsse.envelope.v1+json'

/** What says there that it is a signature. */
export const LEGACY_CRITICAL_TYPE = 'cosign container image signature'

/** Annotations of a layer, where cosign keeps everything but the payload (SIGNATURE_SPEC.md, "Storage"). */
export const LEGACY_ANNOTATION = {
  signature: 'dev.cosignproject.cosign/signature',
  certificate: 'dev.sigstore.cosign/certificate',
  chain: 'dev.sigstore.cosign/chain',
  log: 'dev.sigstore.cosign/bundle',
  timestamp: 'dev.sigstore.cosign/rfc3161timestamp',
} as const

/** What is kept in the older form, each kind under a tag of its own. */
export type LegacyKind = 'signature' | 'attestation'

const ENDINGS = { signature: 'sig', attestation: 'att' } as const

/** One signature in the older form. */
export interface LegacyParts {
  /** What `legacyPayload` gave, over which the signature is. */
  readonly payload: Uint8Array
  readonly signature: Uint8Array
  readonly by: SignedBy
  /** Of Rekor v1; what is logged is a `hashedrekord`. */
  readonly logEntry?: LogEntry | undefined
  /** An RFC 3161 response (`TimeStampResp`, DER) over the signature. */
  readonly timestamp?: Uint8Array | undefined
}

/**
 * The tag under which the signatures, or the attestations, of a manifest are kept.
 *
 * @throws {OciPublishError} UNSUPPORTED for sha512, whose tag would be too long
 */
export function legacyTag(digest: Digest, kind: LegacyKind = 'signature'): string {
  const tag = attachedTag(digest, ENDINGS[kind])
  if (isTag(tag)) return tag
  throw new OciPublishError('UNSUPPORTED', `${digest} is too long for the tag of ${kind}s in the older form`, {
    hint: 'sign it in the form of bundles: "signature-format: bundle"',
  })
}

/**
 * What is signed in the older form, to the byte as cosign writes it.
 *
 * @param annotations that a verifier may ask for (`cosign verify -a`)
 */
export function legacyPayload(
  { host, repository }: Pick<RegistryReference, 'host' | 'repository'>,
  digest: Digest,
  annotations: Annotations = {},
): Uint8Array {
  const critical = {
    identity: { 'docker-reference': `${host === 'docker.io' ? 'index.docker.io' : host}/${repository}` },
    image: { 'docker-manifest-digest': digest },
    type: LEGACY_CRITICAL_TYPE,
  }
  const optional = Object.keys(annotations).length > 0 ? goJsonMap(annotations) : 'null'
  return new TextEncoder().encode(`{"critical":${goJson(critical)},"optional":${optional}}`)
}

/**
 * The layer of a signature: the payload, and in its annotations all that a verifier needs besides.
 *
 * @throws {OciPublishError} UNSUPPORTED for an entry of Rekor v2
 */
export function legacyLayer({ payload, signature, by, logEntry, timestamp }: LegacyParts): Blob {
  const { certificate } = by
  const annotations: Annotations = {
    [LEGACY_ANNOTATION.signature]: base64(signature),
    ...legacyAnnotations({ certificate, chain: certificate ? by.chain : [], logEntry, timestamp }),
  }
  const descriptor = { mediaType: LEGACY_PAYLOAD, size: payload.byteLength, digest: digestOf(payload), annotations }
  return bytesBlob({ descriptor, bytes: payload })
}

interface LegacyMaterial extends Pick<LegacyParts, 'logEntry' | 'timestamp'> {
  readonly certificate: X509Certificate | undefined
  /** From the issuer of the certificate on. */
  readonly chain: readonly X509Certificate[]
}

/**
 * What a verifier needs besides the signature, as annotations of its layer.
 *
 * @throws {OciPublishError} UNSUPPORTED for an entry of Rekor v2
 */
export function legacyAnnotations({ certificate, chain, logEntry, timestamp }: LegacyMaterial): Annotations {
  return {
    ...(logEntry && { [LEGACY_ANNOTATION.log]: logAnnotation(logEntry) }),
    ...(certificate && { [LEGACY_ANNOTATION.certificate]: certificate.toString() }),
    ...(chain.length > 0 && { [LEGACY_ANNOTATION.chain]: chain.map(String).join('') }),
    ...(timestamp && { [LEGACY_ANNOTATION.timestamp]: goJson({ SignedRFC3161Timestamp: base64(timestamp) }) }),
  }
}

const text = v.string('is not text')
/** protojson has int64 as text, and leaves zero out. */
const int64 = v.pipe(
  v.nullish(v.union([text, v.number()]), '0'),
  v.transform(Number),
  v.safeInteger('is not a whole number'),
  v.minValue(0, 'is negative'),
)
const entrySchema = v.object(
  {
    logIndex: int64,
    logId: v.object({ keyId: text }, 'is missing'),
    integratedTime: int64,
    canonicalizedBody: text,
    inclusionPromise: v.nullish(v.object({ signedEntryTimestamp: text }, 'is missing')),
  },
  'is missing',
)

/** A log entry in the words of Rekor v1's API, with the log's promise to include it. */
function logAnnotation(entry: LogEntry): string {
  const { logIndex, logId, integratedTime, canonicalizedBody, inclusionPromise } = parse(
    entrySchema,
    entry,
    'log entry',
  )
  if (!inclusionPromise) {
    const message = 'a signature in the older form cannot carry an entry of Rekor v2: the log promises nothing'
    const hint = 'use a log of version 1, or sign in the form of bundles only'
    throw new OciPublishError('UNSUPPORTED', message, { hint })
  }
  const logID = Buffer.from(logId.keyId, 'base64').toString('hex')
  return goJson({
    SignedEntryTimestamp: inclusionPromise.signedEntryTimestamp,
    Payload: { body: canonicalizedBody, integratedTime, logIndex, logID },
  })
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
