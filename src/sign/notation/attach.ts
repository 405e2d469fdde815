import type { X509Certificate } from 'node:crypto'
import type { Abortable } from '../../async/abortable.ts'
import { pushArtifact } from '../../artifact/push-artifact.ts'
import type { ReferrerLister, Target } from '../../content/ports.ts'
import type { OnCopyEvent } from '../../copy/event.ts'
import { bare, type Descriptor } from '../../oci/descriptor.ts'
import { composeNotationArtifact } from './artifact.ts'
import { checkChain, thumbprintsOf } from './chain.ts'
import { findNotation } from './find.ts'
import { signNotation, targetOf, type NotationOptions } from './signature.ts'
import { verifyNotation } from './verify.ts'

export interface AttachNotationOptions extends Omit<NotationOptions, 'signingTime'> {
  /** Seconds since 1970. A time from the past would be noticed by verifiers that ask for a timestamp. */
  readonly now: number
  readonly onEvent?: OnCopyEvent | undefined
}

export interface AttachedNotation {
  /** Of the manifest that carries the signature. */
  readonly descriptor: Descriptor
  /** Whether an equal signature was there, so that nothing was added. */
  readonly existed: boolean
}

/**
 * Signs a manifest that is at a target, and attaches the signature there. Nothing is added where one hangs on it already
 * that says the same with the same certificate and will be believed for long enough. It is for `close` of the target to
 * make it listed where the registry keeps no lists of referrers.
 *
 * @param subject its digest counts: media type and size are those that the target gives, because verifiers compare them
 * @throws {OciPublishError} UNUSABLE_CERTIFICATE before anything is asked or sent; NOT_FOUND where there is no subject
 */
export async function attachNotation(
  target: Target & ReferrerLister,
  subject: Descriptor,
  { now, onEvent, ...options }: AttachNotationOptions,
  io: Abortable = {},
): Promise<AttachedNotation> {
  const { key, chain } = options
  checkChain(chain, key, now)
  const resolved = bare(await target.resolve(subject.digest, io))
  const found = await findEqual(target, resolved, { ...options, now }, io)
  if (found) return { descriptor: found, existed: true }
  const jws = await signNotation(resolved, { ...options, signingTime: now }, io)
  const artifact = composeNotationArtifact(jws, resolved, { thumbprints: thumbprintsOf(chain), created: now })
  await pushArtifact(target, artifact, { onEvent, ...io })
  await target.tag(artifact.manifest, [], io) // without a name too: a layout lists what it holds
  return { descriptor: artifact.manifest.descriptor, existed: false }
}

/** Signatures are never equal to the byte, so what they say is compared. */
async function findEqual(
  target: Target & ReferrerLister,
  subject: Descriptor,
  { chain, annotations, expirySeconds, now }: AttachNotationOptions,
  io: Abortable,
): Promise<Descriptor | undefined> {
  const wanted = JSON.stringify(targetOf(subject, annotations))
  for await (const { descriptor, jws } of findNotation(target, subject, io)) {
    const { signature } = await verifyNotation(jws, { subject, trusted: chain.slice(-1), now })
    if (!signature || !isSame(signature.chain[0], chain[0])) continue
    if (JSON.stringify(targetOf(signature.subject, signature.subject.annotations)) !== wanted) continue
    if (lastsEnough(signature.expiry, expirySeconds, now)) return descriptor
  }
  return undefined
}

function isSame(one: X509Certificate, other: X509Certificate | undefined): boolean {
  return one.fingerprint256 === other?.fingerprint256
}

/** One that expires is as good as a new one for the first half of its time; then it is time to sign again. */
function lastsEnough(expiry: number | undefined, expirySeconds: number | undefined, now: number): boolean {
  if (expiry === undefined || expirySeconds === undefined) return expiry === expirySeconds
  return expiry - now >= expirySeconds / 2
}
