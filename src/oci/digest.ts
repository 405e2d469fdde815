import { createHash, type Hash } from 'node:crypto'
import { OciPublishError } from '../errors.ts'

declare const parsed: unique symbol

/** `sha256:<64 hex>` or `sha512:<128 hex>`, checked. Only this file makes one. */
export type Digest = string & { readonly [parsed]: 'Digest' }

const FORM = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/

export function isDigest(text: string): text is Digest {
  return FORM.test(text)
}

/** @throws {OciPublishError} INVALID_DIGEST */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text
  throw new OciPublishError('INVALID_DIGEST', `"${text}" is not a digest such as sha256:<64 hex>`)
}

/** The canonical digest of some bytes: sha256. */
export function digestOf(bytes: Uint8Array): Digest {
  return finishDigest(createHash('sha256').update(bytes))
}

/** Ends a running sha256. */
export function finishDigest(hash: Hash): Digest {
  return `sha256:${hash.digest('hex')}` as Digest
}

export function algorithmOf(digest: Digest): 'sha256' | 'sha512' {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256'
}

/** The hexadecimal part. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1)
}

/** For people: the algorithm and twelve digits. */
export function shortDigest(digest: Digest): string {
  return `${algorithmOf(digest)}:${hexOf(digest).slice(0, 12)}`
}
