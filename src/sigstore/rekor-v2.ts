import { createHash, type KeyObject } from 'node:crypto'
import * as v from 'valibot'
import type { Abortable } from '../async/abortable.ts'
import { parseJson, parse } from '../parse.ts'
import { preAuthEncoding } from '../sign/envelope.ts'
import type { SignedBy } from '../sign/signer.ts'
import type { LogEntry, Logged, Witnesses } from '../sign/witness.ts'
import { ask, below } from './ask.ts'
import { base64, checkEntry, entryOf, LOG_FAILED, MAX_ENTRY_BYTES, unloggable, type LogDeps } from './log-entry.ts'
import { checkNotExpired } from './certificate-expired.ts'

const count = v.union([v.pipe(v.string(), v.digits('is no number')), v.pipe(v.number(), v.transform(String))])
const text = v.string('is not text')
const object = 'is not an object'

/** `TransparencyLogEntry` in protojson; zeros may be left out. */
const answer = v.object(
  {
    logIndex: v.nullish(count, '0'),
    logId: v.object({ keyId: text }, object),
    kindVersion: v.object({ kind: text, version: text }, object),
    inclusionProof: v.object(
      {
        logIndex: v.nullish(count, '0'),
        rootHash: text,
        treeSize: count,
        hashes: v.nullish(v.array(text, 'is not a list'), []),
        checkpoint: v.object({ envelope: text }, object),
      },
      object,
    ),
    canonicalizedBody: text,
  },
  object,
)

/**
 * A log with the second version of Rekor's API. It knows no time, and only `hashedrekord`: of an envelope, the hash of
 * what is signed.
 *
 * @see rekor-tiles, CLIENTS.md
 */
export function rekorV2(url: string, deps: LogDeps): NonNullable<Witnesses['log']> {
  return { version: 2, record: (logged, io = {}) => record(url, logged, deps, io) }
}

async function record(
  url: string,
  logged: Logged,
  { transport, now = Date.now }: LogDeps,
  { signal }: Abortable,
): Promise<LogEntry> {
  const { by } = logged
  checkNotExpired(by, now(), 'its signature was logged')
  const { bytes, signature } = signedOf(logged)
  const request = {
    hashedRekordRequestV002: {
      digest: createHash('sha256').update(bytes).digest('base64'),
      signature: { content: base64(signature), verifier: verifierOf(by) },
    },
  }
  const question = {
    method: 'POST',
    url: below(url, 'api/v2/log/entries'),
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: Buffer.from(JSON.stringify(request)),
    operation: 'log the signature',
    code: LOG_FAILED,
    accepts: [200, 201],
    maxBytes: MAX_ENTRY_BYTES,
    hint: hintFor,
  } as const
  const response = await ask(question, { transport, signal })
  const where = `log entry of ${question.url.host}`
  const body = await response.text(MAX_ENTRY_BYTES)
  const entry = entryOf(where, 'is "rekor-version" right?', () => parse(answer, parseJson(body, where), where))
  checkEntry(entry.canonicalizedBody, signature, where)
  return entry
}

function signedOf(logged: Logged): { readonly bytes: Uint8Array; readonly signature: Uint8Array } {
  if (logged.kind === 'hashedrekord') return logged
  return { bytes: preAuthEncoding(logged.envelope), signature: logged.envelope.signature }
}

function verifierOf({ certificate, publicKey }: SignedBy): Readonly<Record<string, unknown>> {
  if (certificate) {
    return { x509Certificate: { rawBytes: base64(certificate.raw) }, keyDetails: keyDetails(certificate.publicKey) }
  }
  const rawBytes = base64(publicKey.export({ type: 'spki', format: 'der' }))
  return { publicKey: { rawBytes }, keyDetails: keyDetails(publicKey) }
}

const CURVES: ReadonlyMap<string | undefined, string> = new Map([
  ['prime256v1', 'PKIX_ECDSA_P256_SHA_256'],
  ['secp384r1', 'PKIX_ECDSA_P384_SHA_256'],
  ['secp521r1', 'PKIX_ECDSA_P521_SHA_256'],
])
const RSA_BITS: readonly (number | undefined)[] = [2048, 3072, 4096]

/**
 * How a key signs here: with SHA-256, whatever it is (`PublicKeyDetails` of protobuf-specs).
 *
 * @throws {OciPublishError} LOG_FAILED for a key that has no name there
 */
export function keyDetails({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string {
  const curve = CURVES.get(details?.namedCurve)
  if (type === 'ec' && curve !== undefined) return curve
  const bits = details?.modulusLength
  if (type === 'rsa' && RSA_BITS.includes(bits)) return `PKIX_RSA_PKCS1V15_${bits}_SHA256`
  const kind = bits === undefined ? (details?.namedCurve ?? type) : `RSA of ${bits} bits`
  throw unloggable(type === 'ed25519' ? 'Ed25519' : String(kind), 'Rekor 2')
}

function hintFor(status: number): string | undefined {
  if (status === 404 || status === 405) {
    return 'is "rekor-url" right, and is it Rekor 2? For Rekor 1 set "rekor-version: 1"'
  }
  if (status === 409)
    return 'the same signature is in the log already, and Rekor 2 does not show it again: sign with a key of ECDSA, which makes another signature each time, or run it again'
  if (status === 400) return 'the log may not take keys of this kind: ECDSA on P-256 is taken by all'
  return undefined
}
