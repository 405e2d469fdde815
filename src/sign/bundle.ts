import type { X509Certificate } from 'node:crypto'
import * as v from 'valibot'
import { OciPublishError } from '../errors.ts'
import { parse, parseJson } from '../parse.ts'
import { readCertificate } from './certificate.ts'
import type { Envelope } from './envelope.ts'
import { bytesSchema, envelopeSchema } from './envelope-json.ts'
import { keyHint } from './key-signer.ts'
import type { SignedBy } from './signer.ts'
import type { LogEntry } from './witness.ts'
import { BUNDLE_TYPE, BUNDLE_TYPE_PREFIX } from './media-types.ts'

/** Bundles of more bytes than this are neither written nor read: predicates of 16 MiB, in base64, still fit. */
export const MAX_BUNDLE_BYTES: number = 24 << 20

export interface BundleParts {
  readonly envelope: Envelope
  readonly by: SignedBy
  /** Each with an inclusion proof: without one the bundle does not count for verifiers. */
  readonly logEntries: readonly LogEntry[]
  /** RFC 3161 responses (`TimeStampResp`, DER) over the signature. */
  readonly timestamps: readonly Uint8Array[]
}

/** An envelope with what came along with it, of either form; nothing of it is verified. */
export interface SignedEnvelope {
  readonly envelope: Envelope
  /** The signer's; undefined for a bare key. */
  readonly certificate: X509Certificate | undefined
  /** From the issuer of the certificate on, where that is known: bundles do not have it. */
  readonly chain?: readonly X509Certificate[]
  /** Which key it was, in words of whoever signed; undefined with a certificate, or where nothing was said. */
  readonly keyHint: string | undefined
  readonly logEntries: readonly LogEntry[]
  readonly timestamps: readonly Uint8Array[]
  /** What those are over where it is not the signature: in the older form it is all of the envelope, as a document. */
  readonly timestamped?: Uint8Array
}

/** A bundle with an envelope, as far as it was read. */
export interface ParsedBundle extends SignedEnvelope {
  /** All of it. */
  readonly json: unknown
}

/**
 * Writes a bundle of version 0.3. Empty lists are left out, and the envelope has no key id: cosign takes one for the
 * fingerprint of a key of another form, and refuses.
 *
 * @throws {OciPublishError} TOO_LARGE; INVALID_DOCUMENT for a log entry without an inclusion proof
 * @see sigstore protobuf-specs v0.5, sigstore_bundle.proto
 */
export function composeBundle({ envelope, by, logEntries, timestamps }: BundleParts): Uint8Array {
  checkProofs(logEntries, 'bundle')
  const rfc3161Timestamps = timestamps.map(one => ({ signedTimestamp: base64(one) }))
  const json = {
    mediaType: BUNDLE_TYPE,
    verificationMaterial: {
      ...(by.certificate
        ? { certificate: { rawBytes: base64(by.certificate.raw) } }
        : { publicKey: { hint: keyHint(by.publicKey) } }),
      ...(logEntries.length > 0 && { tlogEntries: logEntries }),
      ...(timestamps.length > 0 && { timestampVerificationData: { rfc3161Timestamps } }),
    },
    dsseEnvelope: {
      payload: base64(envelope.payload),
      payloadType: envelope.payloadType,
      signatures: [{ sig: base64(envelope.signature) }],
    },
  }
  const bytes = new TextEncoder().encode(JSON.stringify(json))
  checkSize(bytes, 'bundle', 'attach what is stated as a file of its own (oci-publish attach), and sign that')
  return bytes
}

const object = 'is missing'
const certificateSchema = v.object({ rawBytes: bytesSchema }, object)
const logEntrySchema = v.looseObject({}, object)

const bundleSchema = v.object(
  {
    mediaType: v.string('is not text'),
    verificationMaterial: v.object(
      {
        publicKey: v.nullish(v.object({ hint: v.nullish(v.string('is not text')) }, object)),
        certificate: v.nullish(certificateSchema),
        x509CertificateChain: v.nullish(
          v.object({ certificates: v.nullish(v.array(certificateSchema, 'is not a list'), []) }, object),
        ),
        tlogEntries: v.nullish(v.array(logEntrySchema, 'is not a list'), []),
        timestampVerificationData: v.nullish(
          v.object(
            { rfc3161Timestamps: v.nullish(v.array(v.object({ signedTimestamp: bytesSchema }, object)), []) },
            object,
          ),
        ),
      },
      object,
    ),
    messageSignature: v.nullish(v.unknown()),
    dsseEnvelope: v.nullish(envelopeSchema),
  },
  object,
)

/**
 * Reads a bundle of version 0.1 to 0.3 that holds an envelope, of any tool.
 *
 * @param where names the bundle in errors
 * @throws {OciPublishError} TOO_LARGE; INVALID_DOCUMENT, also for what verifiers of that version would not take
 */
export function parseBundle(bytes: Uint8Array, where: string): ParsedBundle {
  checkSize(bytes, where)
  const json = parseJson(bytes, where)
  const version = versionOf(json, where)
  const { verificationMaterial, messageSignature, dsseEnvelope } = parse(bundleSchema, json, where)
  if (!dsseEnvelope) {
    const has = messageSignature ? 'the signature of a file (messageSignature)' : 'nothing that is signed'
    const because = 'images and artifacts are signed by bundles with an envelope (dsseEnvelope)'
    throw new OciPublishError('INVALID_DOCUMENT', `${where}: holds ${has}; ${because}`)
  }
  const { publicKey, tlogEntries, timestampVerificationData } = verificationMaterial
  const certificate = certificateOf(verificationMaterial, version, where)
  if (version === '0.1') checkPromises(tlogEntries, where)
  else checkProofs(tlogEntries, where)
  return {
    envelope: dsseEnvelope,
    certificate: certificate && readCertificate(certificate, `${where}, certificate`),
    keyHint: publicKey?.hint ?? undefined,
    logEntries: tlogEntries,
    timestamps: (timestampVerificationData?.rfc3161Timestamps ?? []).map(one => one.signedTimestamp),
    json,
  }
}

const VERSIONS = ['0.1', '0.2', '0.3'] as const
type Version = (typeof VERSIONS)[number]

/** Two spellings are in use: a version as parameter, and since 0.3 one in the name. */
function versionOf(json: unknown, where: string): Version {
  const { mediaType } = parse(v.object({ mediaType: v.string('is missing') }, object), json, where)
  if (mediaType === BUNDLE_TYPE) return '0.3'
  const version = VERSIONS.find(one => mediaType === `${BUNDLE_TYPE_PREFIX}+json;version=${one}`)
  if (version) return version
  const problem = mediaType.startsWith(BUNDLE_TYPE_PREFIX) ? 'a bundle of a version that is not known' : 'not a bundle'
  throw new OciPublishError('INVALID_DOCUMENT', `${where}: is of type "${mediaType}", ${problem}`)
}

function certificateOf(
  material: v.InferOutput<typeof bundleSchema>['verificationMaterial'],
  version: Version,
  where: string,
): Uint8Array | undefined {
  const { publicKey, certificate, x509CertificateChain: chain } = material
  if ([publicKey, certificate, chain].filter(one => one).length !== 1) {
    const message = 'has to have one of publicKey, certificate and x509CertificateChain in its verificationMaterial'
    throw new OciPublishError('INVALID_DOCUMENT', `${where}: ${message}`)
  }
  if (!chain) return certificate?.rawBytes
  const leaf = chain.certificates[0]
  if (version === '0.3' || !leaf) {
    const problem = leaf ? 'has a chain, and bundles of version 0.3 have one certificate' : 'has a chain of nothing'
    throw new OciPublishError('INVALID_DOCUMENT', `${where}: ${problem}`)
  }
  return leaf.rawBytes
}

/** Since 0.2; a bundle without is to other verifiers as if it were not there. */
function checkProofs(entries: readonly LogEntry[], where: string): void {
  entries.forEach(({ inclusionProof }, i) => {
    if (isObject(inclusionProof)) return
    throw new OciPublishError('INVALID_DOCUMENT', `${where}: log entry ${i + 1} has no inclusion proof`)
  })
}

function checkPromises(entries: readonly LogEntry[], where: string): void {
  entries.forEach(({ inclusionPromise }, i) => {
    if (isObject(inclusionPromise)) return
    throw new OciPublishError('INVALID_DOCUMENT', `${where}: log entry ${i + 1} has no inclusion promise`)
  })
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

function checkSize({ byteLength }: Uint8Array, where: string, hint?: string): void {
  if (byteLength <= MAX_BUNDLE_BYTES) return
  const message = `${where}: has ${byteLength} bytes; bundles have ${MAX_BUNDLE_BYTES} at most`
  throw new OciPublishError('TOO_LARGE', message, { hint })
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
