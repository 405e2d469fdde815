import { X509Certificate } from 'node:crypto'
import * as v from 'valibot'
import { OciPublishError, messageOf } from '../errors.ts'
import type { Annotations, Descriptor } from '../oci/descriptor.ts'
import { isDigest, type Digest } from '../oci/digest.ts'
import type { Manifest } from '../oci/manifest.ts'
import { parse, parseJson } from '../parse.ts'
import { LEGACY_ANNOTATION, LEGACY_CRITICAL_TYPE, LEGACY_PAYLOAD } from './legacy.ts'
import type { LogEntry } from './witness.ts'

/** What Rekor v1 has promised of a signature, in the words of its API. */
export interface LegacyLogEntry {
  /** Over the other parts. */
  readonly signedEntryTimestamp: Uint8Array
  /** The entry in canonical JSON. */
  readonly body: Uint8Array
  /** Seconds since 1970. */
  readonly integratedTime: number
  readonly logIndex: number
  /** SHA-256 of the log's key, in hex. */
  readonly logId: string
}

/** What came along with a signature in the older form, in the annotations of its layer. Nothing of it is verified. */
export interface LegacyMaterial {
  /** The signer's; undefined for a bare key. */
  readonly certificate: X509Certificate | undefined
  /** From the issuer of the certificate on. */
  readonly chain: readonly X509Certificate[]
  readonly log: LegacyLogEntry | undefined
  /** An RFC 3161 response (DER). */
  readonly timestamp: Uint8Array | undefined
}

/** A signature in the older form, as its layer has it. */
export interface LegacySignature extends LegacyMaterial {
  /** What it is over. */
  readonly payload: Descriptor
  readonly signature: Uint8Array
}

/** What a signature in the older form says. */
export interface LegacyPayload {
  readonly digest: Digest
  /** Host and repository in the words of whoever signed. */
  readonly reference: string
  /** Texts among what was said besides. */
  readonly annotations: Annotations
}

/**
 * The signatures that a manifest in the older form holds. Layers of another kind are left out.
 *
 * @param onUnreadable is told of what cannot be read, and left out too
 */
export function parseLegacy(
  { layers }: Pick<Manifest, 'layers'>,
  where: string,
  onUnreadable: (text: string) => void = () => undefined,
): readonly LegacySignature[] {
  return layers.flatMap((layer, i) => {
    if (layer.mediaType !== LEGACY_PAYLOAD) return []
    try {
      return signatureOf(layer, `${where}, signature ${i + 1}`)
    } catch (error) {
      if (!(error instanceof OciPublishError)) throw error
      onUnreadable(messageOf(error))
      return []
    }
  })
}

const text = v.string('is not text')
const whole = v.pipe(v.number('is not a number'), v.safeInteger('is not whole'))
const bytesSchema = v.pipe(
  text,
  v.base64('is not base64'),
  v.transform((base64): Uint8Array => Buffer.from(base64, 'base64')),
)
const logSchema = v.object(
  {
    SignedEntryTimestamp: bytesSchema,
    Payload: v.object({ body: bytesSchema, integratedTime: whole, logIndex: whole, logID: text }, 'is missing'),
  },
  'is missing',
)
const timestampSchema = v.object({ SignedRFC3161Timestamp: bytesSchema }, 'is missing')

function signatureOf(payload: Descriptor, where: string): LegacySignature {
  const { annotations = {} } = payload
  const signature = annotations[LEGACY_ANNOTATION.signature]
  return {
    payload,
    signature: parse(bytesSchema, signature, `${where}, ${LEGACY_ANNOTATION.signature}`),
    ...parseLegacyMaterial(annotations, where),
  }
}

/**
 * Reads what a verifier needs besides a signature.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT
 */
export function parseLegacyMaterial(annotations: Annotations, where: string): LegacyMaterial {
  const [certificate, ...more] = certificatesOf(annotations[LEGACY_ANNOTATION.certificate], `${where}, certificate`)
  if (more.length > 0) throw new OciPublishError('INVALID_DOCUMENT', `${where}: has several certificates`)
  const log = annotations[LEGACY_ANNOTATION.log]
  const timestamp = annotations[LEGACY_ANNOTATION.timestamp]
  return {
    certificate,
    chain: certificatesOf(annotations[LEGACY_ANNOTATION.chain], `${where}, chain`),
    log: log === undefined || isNothing(log) ? undefined : logOf(log, `${where}, ${LEGACY_ANNOTATION.log}`),
    timestamp:
      timestamp === undefined || isNothing(timestamp)
        ? undefined
        : parseText(timestampSchema, timestamp, `${where}, ${LEGACY_ANNOTATION.timestamp}`).SignedRFC3161Timestamp,
  }
}

/** What cosign writes of a thing that it has not got. */
function isNothing(json: string): boolean {
  return json === '' || json === 'null'
}

function parseText<T>(schema: v.GenericSchema<unknown, T>, json: string, where: string): T {
  return parse(schema, parseJson(json, where), where)
}

function logOf(json: string, where: string): LegacyLogEntry {
  const { SignedEntryTimestamp, Payload } = parseText(logSchema, json, where)
  const { body, integratedTime, logIndex, logID } = Payload
  return { signedEntryTimestamp: SignedEntryTimestamp, body, integratedTime, logIndex, logId: logID }
}

const kindSchema = v.object({ kind: text, apiVersion: text })

/**
 * The form that bundles have. There is a promise of the log and no proof.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT
 */
export function logEntryOf(
  { body, integratedTime, logIndex, logId, signedEntryTimestamp }: LegacyLogEntry,
  where: string,
): LogEntry {
  const { kind, apiVersion } = parse(kindSchema, parseJson(body, where), where)
  return {
    logIndex: `${logIndex}`,
    logId: { keyId: Buffer.from(logId, 'hex').toString('base64') },
    kindVersion: { kind, version: apiVersion },
    integratedTime: `${integratedTime}`,
    inclusionPromise: { signedEntryTimestamp: Buffer.from(signedEntryTimestamp).toString('base64') },
    canonicalizedBody: Buffer.from(body).toString('base64'),
  }
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
const MAX_CERTIFICATES = 10

function certificatesOf(pem: string | undefined, where: string): readonly X509Certificate[] {
  if (pem === undefined || pem.trim() === '') return []
  const found = pem.match(PEM) ?? []
  if (found.length === 0 || found.length > MAX_CERTIFICATES) {
    throw new OciPublishError('INVALID_DOCUMENT', `${where}: has ${found.length} certificates in PEM`)
  }
  try {
    return found.map(one => new X509Certificate(one))
  } catch (error) {
    throw new OciPublishError('INVALID_DOCUMENT', `${where}: is not an X.509 certificate`, { cause: error })
  }
}

const payloadSchema = v.object(
  {
    critical: v.object(
      {
        identity: v.object({ 'docker-reference': text }, 'is missing'),
        image: v.object(
          { 'docker-manifest-digest': v.pipe(text, v.guard(isDigest, 'is not a digest such as sha256:<64 hex>')) },
          'is missing',
        ),
        type: v.literal(LEGACY_CRITICAL_TYPE, `is not "${LEGACY_CRITICAL_TYPE}"`),
      },
      'is missing',
    ),
    optional: v.nullish(v.record(text, v.unknown()), {}),
  },
  'is missing',
)

/**
 * Reads what a signature in the older form is over.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT
 */
export function parseLegacyPayload(bytes: Uint8Array, where: string): LegacyPayload {
  const { critical, optional } = parse(payloadSchema, parseJson(bytes, where), where)
  const texts = Object.entries(optional).filter((pair): pair is [string, string] => typeof pair[1] === 'string')
  return {
    digest: critical.image['docker-manifest-digest'],
    reference: critical.identity['docker-reference'],
    annotations: Object.fromEntries(texts),
  }
}
