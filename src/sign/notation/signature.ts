import type { KeyObject, X509Certificate } from 'node:crypto'
import type { Abortable } from '../../async/abortable.ts'
import { OciPublishError } from '../../errors.ts'
import { bare, type Annotations, type Descriptor } from '../../oci/descriptor.ts'
import { algorithmOf, signBytes } from './algorithm.ts'
import { checkChain } from './chain.ts'

/** Media type of what is signed. */
export const PAYLOAD_TYPE = 'application/vnd.cncf.notary.payload.v1+json'

/** The scheme in which a key with a certificate signs, and says by itself when it did. */
export const X509_SCHEME = 'notary.x509'

/** Names of the Notary Project in headers (signature-envelope-jws.md). */
export const SCHEME = 'io.cncf.notary.signingScheme'
export const SIGNING_TIME = 'io.cncf.notary.signingTime'
export const EXPIRY = 'io.cncf.notary.expiry'
export const AGENT = 'io.cncf.notary.signingAgent'

const RESERVED = 'io.cncf.notary'

export interface NotationOptions {
  /** Private. */
  readonly key: KeyObject
  /** The certificate of the key first, the root last. */
  readonly chain: readonly X509Certificate[]
  /** Seconds since 1970. */
  readonly signingTime: number
  /** What the signer says of the subject, for verifiers to ask for. */
  readonly annotations?: Annotations | undefined
  /** How long the signature holds, from its signing time on; for ever where it is left out, as far as the certificates do. */
  readonly expirySeconds?: number | undefined
  /** What signs, for people who look for a fault: `oci-publish/1.2.3`. */
  readonly agent?: string | undefined
}

/**
 * Signs a descriptor as the Notary Project has it.
 *
 * @param subject media type, digest and size as the registry gives them: verifiers compare all three
 * @returns the envelope: JWS as flattened JSON
 * @throws {OciPublishError} UNUSABLE_CERTIFICATE; INVALID_ANNOTATION
 * @see Notary Project specifications, signature-specification.md and signature-envelope-jws.md
 */
export async function signNotation(
  subject: Descriptor,
  { key, chain, signingTime, annotations = {}, expirySeconds, agent }: NotationOptions,
  io: Abortable = {},
): Promise<Uint8Array> {
  checkChain(chain, key, signingTime)
  const algorithm = algorithmOf(key)
  if (!algorithm) throw new TypeError('the key was not checked')
  checkAnnotations(annotations)
  const payload = encode({ targetArtifact: targetOf(subject, annotations) })
  const header = encode({
    alg: algorithm.name,
    crit: [SCHEME, ...(expirySeconds === undefined ? [] : [EXPIRY])],
    cty: PAYLOAD_TYPE,
    [SCHEME]: X509_SCHEME,
    [SIGNING_TIME]: rfc3339(signingTime),
    ...(expirySeconds !== undefined && { [EXPIRY]: rfc3339(signingTime + expirySeconds) }),
  })
  const signature = await signBytes(Buffer.from(`${header}.${payload}`, 'ascii'), key, algorithm, io)
  const envelope = {
    payload,
    protected: header,
    header: {
      x5c: chain.map(({ raw }) => raw.toString('base64')),
      ...(agent !== undefined && { [AGENT]: agent }),
    },
    signature: Buffer.from(signature).toString('base64url'),
  }
  return new TextEncoder().encode(JSON.stringify(envelope))
}

/** What is signed of a subject: what identifies it, and what the signer says. */
export function targetOf(subject: Descriptor, annotations: Annotations = {}): Descriptor {
  const pairs = Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1))
  return { ...bare(subject), ...(pairs.length > 0 && { annotations: Object.fromEntries(pairs) }) }
}

/** Without fractions of a second. */
export function rfc3339(seconds: number): string {
  return new Date(Math.floor(seconds) * 1000).toISOString().replace('.000Z', 'Z')
}

function checkAnnotations(annotations: Annotations): void {
  const reserved = Object.keys(annotations).filter(name => name.startsWith(RESERVED))
  if (reserved.length === 0) return
  const message = `${reserved.join(', ')}: annotations that begin with ${RESERVED} belong to the Notary Project`
  throw new OciPublishError('INVALID_ANNOTATION', message, { hint: 'give them another name' })
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url')
}
