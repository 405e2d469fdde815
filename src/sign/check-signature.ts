import type { KeyObject, X509Certificate } from 'node:crypto'
import { createHash } from 'node:crypto'
import type { Bundle, TransparencyLogEntry } from '@sigstore/bundle'
import type { SignedEntity } from '@sigstore/verify'
import { OciPublishError } from '../errors.ts'
import { extensionsOf } from './certificate.ts'
import { oidOf, readDer } from './der.ts'
import { preAuthEncoding, type Envelope } from './envelope.ts'
import { keyHint, verifySignature } from './key-signer.ts'
import { logEntryProblem } from './log-entry.ts'
import { mismatchOf } from './mismatch.ts'
import type { TrustedRoot } from './trusted-root.ts'
import type { LogEntry } from './witness.ts'

/** A signature with what came along with it, of either form. */
export interface Signed {
  readonly content: { readonly envelope: Envelope } | { readonly bytes: Uint8Array; readonly signature: Uint8Array }
  readonly certificate: X509Certificate | undefined
  readonly logEntries: readonly LogEntry[]
  readonly timestamps: readonly Uint8Array[]
  /** What the timestamps are over; the signature, if nothing is said. */
  readonly timestamped?: Uint8Array | undefined
}

/** A key that is trusted by itself, or who issues certificates that are. */
export type Trust =
  | { readonly key: KeyObject; readonly trustedRoot: TrustedRoot | undefined }
  | { readonly key?: undefined; readonly trustedRoot: TrustedRoot }

/** Who else testified, verified. */
export interface Testimony {
  /** When the signature was there at the latest, in order. */
  readonly times: readonly { readonly by: 'log' | 'timestamp'; readonly at: Date }[]
  /** Where in logs it is. */
  readonly logIndexes: readonly string[]
}

/**
 * Verifies a signature, and who testifies for it. A certificate has to be issued by a trusted authority, at a time that
 * somebody trusted tells, and to be logged, as the signature has to be, where the root names logs. For a key that is
 * trusted by itself no testimony is needed; what there is by somebody whom the root knows has to be true.
 *
 * @throws {OciPublishError} VERIFICATION_FAILED with a sentence about the first thing that is wrong
 */
export async function checkSignature(signed: Signed, trust: Trust): Promise<Testimony> {
  const key = trust.key ?? signed.certificate?.publicKey
  if (!key) throw failed('it was signed with a key, and came without a certificate')
  const [bytes, signature] =
    'envelope' in signed.content
      ? [preAuthEncoding(signed.content.envelope), signed.content.envelope.signature]
      : [signed.content.bytes, signed.content.signature]
  if (!verifies(key, bytes, signature)) {
    throw failed(`the signature does not fit the ${trust.key ? `key ${keyHint(key)}` : 'certificate'}`)
  }
  if (!trust.trustedRoot) return { times: [], logIndexes: [] }
  const { certificate } = signed
  const { material } = trust.trustedRoot
  try {
    const { default: verify } = await import('@sigstore/verify')
    const entity = knownOf(await entityOf(signed), trust.trustedRoot, trust.key === undefined)
    const times = timesOf(entity)
    if (certificate) checkCertificate(certificate, times)
    const some = (list: readonly unknown[]): number => (trust.key || list.length === 0 ? 0 : 1)
    const options = { tlogThreshold: some(material.tlogs), ctlogThreshold: some(material.ctlogs) }
    const publicKey = () => ({ publicKey: key, validFor: () => true })
    const verifier = new verify.Verifier(
      { ...material, publicKey },
      { ...options, timestampThreshold: trust.key ? 0 : 1 },
    )
    verifier.verify(entity)
    for (const entry of entity.tlogEntries) {
      const problem = logEntryProblem(entry, { certificate, key })
      if (problem !== undefined) throw failed(problem)
    }
    return { times, logIndexes: entity.tlogEntries.map(indexOf) }
  } catch (error) {
    if (error instanceof OciPublishError) throw error
    throw failed(mismatchOf(error), error)
  }
}

function failed(reason: string, cause?: unknown): OciPublishError {
  return new OciPublishError('VERIFICATION_FAILED', reason, { cause })
}

/** A key that no signature can be by, such as one for agreeing on keys, throws. */
function verifies(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verifySignature(key, bytes, signature)
  } catch {
    return false
  }
}

/** As the verifier takes it, made of what was read here: it must not read something else into the same JSON. */
async function entityOf(signed: Signed): Promise<SignedEntity> {
  const { content, certificate, logEntries, timestamps, timestamped } = signed
  const { default: verify } = await import('@sigstore/verify')
  const { default: specs } = await import('@sigstore/protobuf-specs')
  const entries = logEntries.map(one => specs.TransparencyLogEntry.fromJSON(one))
  const bundle: Bundle = {
    mediaType: '', // nobody looks at it
    content:
      'envelope' in content
        ? {
            $case: 'dsseEnvelope',
            dsseEnvelope: {
              payload: Buffer.from(content.envelope.payload),
              payloadType: content.envelope.payloadType,
              signatures: [{ sig: Buffer.from(content.envelope.signature), keyid: '' }],
            },
          }
        : {
            $case: 'messageSignature',
            messageSignature: {
              signature: Buffer.from(content.signature),
              messageDigest: {
                algorithm: specs.HashAlgorithm.SHA2_256,
                digest: createHash('sha256').update(content.bytes).digest(),
              },
            },
          },
    verificationMaterial: {
      content: certificate
        ? { $case: 'certificate', certificate: { rawBytes: certificate.raw } }
        : { $case: 'publicKey', publicKey: { hint: '' } },
      tlogEntries: entries.map(({ logId, kindVersion, ...rest }): TransparencyLogEntry => {
        if (!logId || !kindVersion) throw failed('the log entry does not say in which log it is, or of what kind')
        return { ...rest, logId, kindVersion }
      }),
      timestampVerificationData: {
        rfc3161Timestamps: timestamps.map(one => ({ signedTimestamp: Buffer.from(one) })),
      },
    },
  }
  const entity = verify.toSignedEntity(bundle, 'bytes' in content ? Buffer.from(content.bytes) : undefined)
  return timestamped ? { ...entity, signature: timestampedOver(timestamped, entity.signature) } : entity
}

/** What the verifier finds as the signature it holds against timestamps, and against nothing else. */
function timestampedOver(bytes: Uint8Array, content: SignedEntity['signature']): SignedEntity['signature'] {
  return {
    signature: Buffer.from(bytes),
    compareSignature: signature => content.compareSignature(signature),
    compareDigest: digest => content.compareDigest(digest),
    compareSignedDigest: digest => content.compareSignedDigest(digest),
    verifySignature: key => content.verifySignature(key),
  }
}

/**
 * Without what is by logs and authorities that the root does not know: a signature may have been shown to more of them.
 *
 * @param needed whether there has to be somebody who is known
 */
function knownOf(entity: SignedEntity, { where, material }: TrustedRoot, needed: boolean): SignedEntity {
  const isKnownLog = ({ logId }: TransparencyLogEntry): boolean =>
    material.tlogs.some(({ logID }) => logID.equals(logId.keyId))
  const tlogEntries = entity.tlogEntries.filter(isKnownLog)
  const timestamps = entity.timestamps.filter(one => {
    if (one.$case === 'transparency-log') return isKnownLog(one.tlogEntry)
    const { signerSerialNumber, signerIssuer } = one.timestamp
    return material.timestampAuthorities.some(
      ({ certChain: [leaf] }) => leaf?.serialNumber.equals(signerSerialNumber) && leaf.issuer.equals(signerIssuer),
    )
  })
  const unknown = entity.tlogEntries.find(one => !isKnownLog(one))
  if (needed && unknown && tlogEntries.length === 0 && material.tlogs.length > 0) {
    const id = unknown.logId.keyId.toString('base64')
    throw failed(`it is in the transparency log ${id}, which is none of ${where}`)
  }
  if (needed && timestamps.length === 0 && entity.timestamps.some(one => one.$case === 'timestamp-authority')) {
    throw failed(`its timestamp is by none of the authorities of ${where}`)
  }
  return { ...entity, tlogEntries, timestamps }
}

function timesOf({ timestamps }: SignedEntity): Testimony['times'] {
  const times = timestamps.flatMap((one): Testimony['times'] => {
    if (one.$case === 'timestamp-authority') return [{ by: 'timestamp', at: one.timestamp.signingTime }]
    // Only with the log's promise is the time one that the log has signed.
    if (!one.tlogEntry.inclusionPromise) return []
    return [{ by: 'log', at: new Date(Number(one.tlogEntry.integratedTime) * 1000) }]
  })
  return times.sort((a, b) => a.at.getTime() - b.at.getTime())
}

/** RFC 5280, section 4.2.1.12. */
const EXTENDED_KEY_USAGE = '2.5.29.37'
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3'

/** What the verifier does not ask, and what it says in few words. */
function checkCertificate(certificate: X509Certificate, times: Testimony['times']): void {
  if (certificate.ca || !purposesOf(certificate).includes(CODE_SIGNING)) {
    throw failed('the certificate is not one for signing code')
  }
  for (const { by, at } of times) {
    const when = by === 'log' ? 'logged' : 'timestamped'
    if (at < new Date(certificate.validFrom)) throw failed(`the certificate was not valid yet when it was ${when}`)
    if (at > new Date(certificate.validTo)) throw failed(`the certificate had expired when it was ${when}`)
  }
}

function purposesOf(certificate: X509Certificate): readonly string[] {
  const extension = extensionsOf(certificate).get(EXTENDED_KEY_USAGE)
  const where = `certificate ${certificate.serialNumber}`
  return extension ? readDer(extension.value, where).children.map(one => oidOf(one, where)) : []
}

function indexOf({ inclusionPromise, inclusionProof, logIndex }: TransparencyLogEntry): string {
  return inclusionPromise ? logIndex : (inclusionProof?.logIndex ?? logIndex)
}
