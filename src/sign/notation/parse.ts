import type { X509Certificate } from 'node:crypto'
import * as v from 'valibot'
import { OciPublishError } from '../../errors.ts'
import { descriptorSchema, type Descriptor } from '../../oci/descriptor.ts'
import { parse, parseJson } from '../../parse.ts'
import { readCertificate } from '../certificate.ts'
import { AGENT, EXPIRY, SCHEME, SIGNING_TIME } from './signature.ts'

/** A signature of the Notary Project, read and not verified. */
export interface NotationSignature {
  /** Of what it is, with the annotations of the signer. */
  readonly subject: Descriptor
  /** `ES256`. */
  readonly algorithm: string
  readonly contentType: string
  /** `notary.x509`, or `notary.x509.signingAuthority` of services such as AWS Signer. */
  readonly scheme: string
  /** Names of the headers that whoever verifies has to understand. */
  readonly critical: readonly string[]
  /** Seconds since 1970, as the signer says; only in the scheme `notary.x509`. */
  readonly signingTime: number | undefined
  /** Seconds since 1970. */
  readonly expiry: number | undefined
  /** The certificate of the signer first. */
  readonly chain: readonly [X509Certificate, ...(readonly X509Certificate[])]
  readonly agent: string | undefined
  readonly signedBytes: Uint8Array
  readonly signature: Uint8Array
}

const text = v.string('is not text')
const base64url = v.pipe(text, v.regex(/^[A-Za-z0-9_-]+$/, 'is not base64url'))
const time = v.pipe(
  text,
  v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/, 'is not a time of RFC 3339'),
  v.transform(value => Date.parse(value) / 1000),
  v.finite('is not a time of RFC 3339'),
)
const envelopeSchema = v.object(
  {
    payload: base64url,
    protected: base64url,
    signature: base64url,
    header: v.object(
      {
        x5c: v.pipe(v.array(v.pipe(text, v.base64('is not base64')), 'is not a list'), v.minLength(1, 'is empty')),
        [AGENT]: v.optional(text),
      },
      'is missing',
    ),
  },
  'is not an object',
)
const protectedSchema = v.object(
  {
    alg: text,
    cty: text,
    crit: v.optional(v.array(text, 'is not a list'), []),
    [SCHEME]: text,
    [SIGNING_TIME]: v.optional(time),
    [EXPIRY]: v.optional(time),
  },
  'is not an object',
)
const payloadSchema = v.object({ targetArtifact: descriptorSchema }, 'is not an object')

/**
 * Reads a signature of any tool. It is not verified.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT
 */
export function parseNotation(bytes: Uint8Array, where: string): NotationSignature {
  const envelope = parse(envelopeSchema, parseJson(bytes, where), where)
  const protectedAt = `${where}, protected header`
  const header = parse(protectedSchema, parseJson(decode(envelope.protected), protectedAt), protectedAt)
  const payloadAt = `${where}, payload`
  const { targetArtifact } = parse(payloadSchema, parseJson(decode(envelope.payload), payloadAt), payloadAt)
  const [leaf, ...issuers] = envelope.header.x5c.map((base64, i) =>
    readCertificate(Buffer.from(base64, 'base64'), `${where}, x5c ${i + 1}`),
  )
  if (!leaf) throw new OciPublishError('INVALID_DOCUMENT', `${where}: has no certificate`)
  return {
    subject: targetArtifact,
    algorithm: header.alg,
    contentType: header.cty,
    scheme: header[SCHEME],
    critical: header.crit,
    signingTime: header[SIGNING_TIME],
    expiry: header[EXPIRY],
    chain: [leaf, ...issuers],
    agent: envelope.header[AGENT],
    signedBytes: Buffer.from(`${envelope.protected}.${envelope.payload}`, 'ascii'),
    signature: decode(envelope.signature),
  }
}

function decode(base64: string): Uint8Array {
  return Buffer.from(base64, 'base64url')
}
