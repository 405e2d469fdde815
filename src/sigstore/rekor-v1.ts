import { createHash } from 'node:crypto'
import * as v from 'valibot'
import type { Abortable } from '../async/abortable.ts'
import { OciPublishError } from '../errors.ts'
import type { HttpResponse } from '../http/transport.ts'
import { parse, parseJson } from '../parse.ts'
import { serializeEnvelope } from '../sign/envelope-json.ts'
import type { SignedBy } from '../sign/signer.ts'
import type { LogEntry, Logged, Witnesses } from '../sign/witness.ts'
import { ask, below, type Question, type ServiceIo } from './ask.ts'
import { checkNotExpired } from './certificate-expired.ts'
import { base64, checkEntry, entryOf, LOG_FAILED, MAX_ENTRY_BYTES, unloggable, type LogDeps } from './log-entry.ts'

const text = v.string('is not text')
const hex = v.pipe(text, v.hexadecimal('is not hex'))
const whole = v.pipe(v.number('is not a number'), v.safeInteger('is not a whole number'), v.minValue(0))
const object = 'is not an object'

/** By UUID: of the entry that was asked for, and of no other. */
const answer = v.record(
  text,
  v.object(
    {
      body: text,
      integratedTime: whole,
      logID: hex,
      logIndex: whole,
      verification: v.object(
        {
          signedEntryTimestamp: text,
          inclusionProof: v.object(
            { checkpoint: text, hashes: v.array(hex), logIndex: whole, rootHash: hex, treeSize: whole },
            object,
          ),
        },
        object,
      ),
    },
    object,
  ),
)
const kindOf = v.object({ kind: text, apiVersion: text }, object)

/**
 * A log with the first version of Rekor's API, which also says when it was asked.
 *
 * @see rekor, openapi.yaml, createLogEntry
 */
export function rekorV1(url: string, deps: LogDeps): NonNullable<Witnesses['log']> {
  return { version: 1, record: (logged, io = {}) => record(url, logged, deps, io) }
}

async function record(
  url: string,
  logged: Logged,
  { transport, now = Date.now }: LogDeps,
  { signal }: Abortable,
): Promise<LogEntry> {
  const { by } = logged
  checkNotExpired(by, now(), 'its signature was logged')
  const question = {
    url: below(url, 'api/v1/log/entries'),
    operation: 'log the signature',
    code: LOG_FAILED,
    maxBytes: MAX_ENTRY_BYTES,
    hint: hintFor,
  } as const
  const body = Buffer.from(JSON.stringify(proposed(logged)))
  const headers = { 'content-type': 'application/json', accept: 'application/json' }
  const io = { transport, signal }
  const created = await ask({ ...question, method: 'POST', headers, body, accepts: [200, 201, 409] }, io)
  const response = created.status === 409 ? await existing(created, question, io) : created
  const where = `log entry of ${question.url.host}`
  const { entry, integratedMs } = convert(await response.text(MAX_ENTRY_BYTES), where)
  const signature = logged.kind === 'dsse' ? logged.envelope.signature : logged.signature
  checkEntry(String(entry['canonicalizedBody']), signature, where)
  checkNotExpired(by, integratedMs, 'its signature was logged')
  return entry
}

/** An entry that is there already: a request that was sent twice, or a signature that always comes out the same. */
async function existing(
  created: HttpResponse,
  question: Omit<Question, 'method' | 'accepts'>,
  io: ServiceIo,
): Promise<HttpResponse> {
  const { host, origin } = question.url
  const given = created.header('location')
  const location = given && URL.canParse(given, created.url.href) ? new URL(given, created.url) : undefined
  await created.discard()
  if (location?.origin !== origin) {
    throw new OciPublishError(LOG_FAILED, `${host}: the signature is logged already, and it does not say where`)
  }
  const headers = { accept: 'application/json' }
  const again = { ...question, method: 'GET', url: location, headers, accepts: [200] } as const
  return ask({ ...again, operation: 'read the log entry that exists' }, io)
}

/** `ProposedEntry`, version 0.0.1 of either kind. */
function proposed(logged: Logged): unknown {
  const { kind, by } = logged
  const verifier = base64(Buffer.from(pemOf(by)))
  if (logged.kind === 'dsse') {
    const proposedContent = { envelope: serializeEnvelope(logged.envelope), verifiers: [verifier] }
    return { apiVersion: '0.0.1', kind, spec: { proposedContent } }
  }
  if ((by.certificate?.publicKey ?? by.publicKey)?.asymmetricKeyType === 'ed25519') {
    throw unloggable('Ed25519', 'Rekor 1, for signatures of the older form,')
  }
  const hash = { algorithm: 'sha256', value: createHash('sha256').update(logged.bytes).digest('hex') }
  const signature = { content: base64(logged.signature), publicKey: { content: verifier } }
  return { apiVersion: '0.0.1', kind, spec: { data: { hash }, signature } }
}

function pemOf({ certificate, publicKey }: SignedBy): string {
  return certificate ? certificate.toString() : publicKey.export({ type: 'spki', format: 'pem' }).toString()
}

/** Into what bundles have of it (`TransparencyLogEntry` in protojson). */
function convert(body: string, where: string): { readonly entry: LogEntry; readonly integratedMs: number } {
  return entryOf(where, 'is "rekor-url" right, and is it Rekor 1? For Rekor 2 set "rekor-version: 2"', () => {
    const [found, ...more] = Object.values(parse(answer, parseJson(body, where), where))
    if (!found || more.length > 0) throw new OciPublishError('INVALID_DOCUMENT', `${where}: is not one entry`)
    const { logIndex, logID, integratedTime, verification } = found
    const { signedEntryTimestamp, inclusionProof: proof } = verification
    const { kind, apiVersion } = parse(kindOf, parseJson(Buffer.from(found.body, 'base64'), where), where)
    const entry = {
      logIndex: `${logIndex}`,
      logId: { keyId: fromHex(logID) },
      kindVersion: { kind, version: apiVersion },
      integratedTime: `${integratedTime}`,
      inclusionPromise: { signedEntryTimestamp },
      inclusionProof: {
        logIndex: `${proof.logIndex}`,
        rootHash: fromHex(proof.rootHash),
        treeSize: `${proof.treeSize}`,
        hashes: proof.hashes.map(fromHex),
        checkpoint: { envelope: proof.checkpoint },
      },
      canonicalizedBody: found.body,
    }
    return { entry, integratedMs: integratedTime * 1000 }
  })
}

function fromHex(digits: string): string {
  return Buffer.from(digits, 'hex').toString('base64')
}

function hintFor(status: number): string | undefined {
  if (status === 404 || status === 405) {
    return 'is "rekor-url" right, and is it Rekor 1? For Rekor 2 set "rekor-version: 2"'
  }
  return status === 400 ? 'the log may not take keys of this kind: ECDSA on P-256 is taken by all' : undefined
}
