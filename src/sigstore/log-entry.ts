import * as v from 'valibot'
import { OciPublishError } from '../errors.ts'
import { parse, parseJson } from '../parse.ts'
import type { ServiceIo } from './ask.ts'

export interface LogDeps extends Pick<ServiceIo, 'transport'> {
  /** Milliseconds since 1970. Default: now. */
  readonly now?: (() => number) | undefined
}

export const LOG_FAILED = 'LOG_FAILED'

/** An entry of Rekor 1 repeats the certificate, and has a proof of some kilobytes. */
export const MAX_ENTRY_BYTES: number = 1 << 20

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/**
 * Reads the answer of a log.
 *
 * @throws {OciPublishError} LOG_FAILED
 */
export function entryOf<T>(where: string, hint: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new OciPublishError(LOG_FAILED, `${where}: the answer cannot be read`, { cause, hint })
  }
}

const text = v.string()
/** Where a signature is in the entries of either version. */
const bodies = v.union([
  v.pipe(
    v.object({ spec: v.object({ hashedRekordV002: v.object({ signature: v.object({ content: text }) }) }) }),
    v.transform(({ spec }) => spec.hashedRekordV002.signature.content),
  ),
  v.pipe(
    v.object({ spec: v.object({ signature: v.object({ content: text }) }) }),
    v.transform(({ spec }) => spec.signature.content),
  ),
  v.pipe(
    v.object({ spec: v.object({ signatures: v.tuple([v.object({ signature: text })]) }) }),
    v.transform(({ spec }) => spec.signatures[0].signature),
  ),
])

/**
 * That an entry is about a signature, so that a mistake of the log is not found by verifiers only.
 *
 * @param body of the entry, base64
 * @throws {OciPublishError} LOG_FAILED
 */
export function checkEntry(body: string, signature: Uint8Array, where: string): void {
  const hint = 'report it to who runs the log'
  const logged = entryOf(where, hint, () => parse(bodies, parseJson(Buffer.from(body, 'base64'), where), where))
  if (logged === base64(signature)) return
  throw new OciPublishError(LOG_FAILED, `${where}: is about another signature than the one that was sent`, { hint })
}

/** Of Ed25519 logs take hashes only in a variant that verifiers of bare keys do not know. */
export function unloggable(kind: string, log: string): OciPublishError {
  const hint = 'use ECDSA on P-256 ("oci-publish generate-key-pair"), or sign without a log: leave out "rekor-url"'
  return new OciPublishError(LOG_FAILED, `${log} takes no signatures by keys of this kind: ${kind}`, { hint })
}
