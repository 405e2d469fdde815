import type { X509Certificate } from 'node:crypto'
import { OciPublishError } from '../errors.ts'
import type { SignedBy } from '../sign/signer.ts'

/**
 * A signature counts when it was seen while its certificate was good.
 *
 * @param before what was to be done with it, in words: `it was logged`
 * @throws {OciPublishError} CERTIFICATE_EXPIRED
 */
export function checkNotExpired({ certificate }: SignedBy, atMs: number, before: string): void {
  if (!certificate || atMs < expiryOf(certificate)) return
  const name = certificate.subjectAltName ?? certificate.serialNumber
  const message = `the certificate for ${name} has expired at ${new Date(expiryOf(certificate)).toISOString()}, before ${before}`
  const hint = 'run it again; certificates are good for ten minutes, so see that the clock of this machine is right'
  throw new OciPublishError('CERTIFICATE_EXPIRED', message, { hint })
}

/** Milliseconds since 1970. */
export function expiryOf({ validTo }: X509Certificate): number {
  return Date.parse(validTo) // Node 20 has no validToDate
}
