import * as v from 'valibot'
import { parse, parseJson } from '../parse.ts'
import type { Envelope } from './envelope.ts'
import { withoutTrailing } from '../trim.ts'

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/

/** Bytes in JSON, in either alphabet of base64, as protojson asks for. */
export const bytesSchema: v.GenericSchema<unknown, Uint8Array> = v.pipe(
  v.string('is not text'),
  v.check(text => BASE64.test(text) && withoutTrailing(text, '=').length % 4 !== 1, 'is not base64'),
  v.transform((text): Uint8Array => Buffer.from(text, 'base64')),
)

/** An envelope of one signature: verifiers take no other. */
export const envelopeSchema: v.GenericSchema<unknown, Envelope> = v.pipe(
  v.object(
    {
      payload: bytesSchema,
      payloadType: v.string('is not text'),
      signatures: v.pipe(
        v.array(v.object({ sig: bytesSchema }, 'is missing'), 'is not a list'),
        v.length(1, 'has to be of one signature'),
      ),
    },
    'is missing',
  ),
  v.transform(({ payload, payloadType, signatures }) => {
    return { payloadType, payload, signature: signatures[0]?.sig ?? new Uint8Array() }
  }),
)

/**
 * An envelope as a document of its own, always the same bytes for the same envelope: logs of Rekor 1 keep their hash, and
 * cosign holds what is attested in the older form against that. Without a key id, which cosign takes for a fingerprint.
 *
 * @see DSSE v1, envelope.md
 */
export function serializeEnvelope({ payload, payloadType, signature }: Envelope): string {
  return JSON.stringify({ payload: base64(payload), payloadType, signatures: [{ sig: base64(signature) }] })
}

/**
 * Reads an envelope that is a document of its own.
 *
 * @param where names it in errors
 * @throws {OciPublishError} INVALID_DOCUMENT
 */
export function parseEnvelope(bytes: Uint8Array, where: string): Envelope {
  return parse(envelopeSchema, parseJson(bytes, where), where)
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
