import { readDocument } from '../artifact/members.ts'
import type { Abortable } from '../async/abortable.ts'
import type { Source } from '../content/ports.ts'
import { readAll } from '../content/verify.ts'
import { OciPublishError, messageOf } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { algorithmOf } from '../oci/digest.ts'
import { parseManifest, type Document, type Manifest } from '../oci/manifest.ts'
import { isIndexType, isManifestType } from '../oci/media-type.ts'
import { legacyTag, type LegacyKind } from './legacy.ts'
import { parseLegacy, parseLegacyPayload, type LegacyPayload, type LegacySignature } from './parse-legacy.ts'
import { isUnreadable } from './unreadable.ts'
import { resolveIfThere } from '../content/resolve-if-there.ts'

/** The manifest under the tag of signatures, or of attestations. */
export interface LegacyManifest {
  readonly document: Document
  readonly manifest: Manifest
}

export interface LegacySignatures extends LegacyManifest {
  readonly signatures: readonly LegacySignature[]
}

export interface FindLegacyOptions extends Abortable {
  /** Told of every signature that is there and cannot be read, in words. */
  readonly onUnreadable?: ((text: string) => void) | undefined
}

/** A signature in the older form, with what it says. Nothing of it is verified. */
export interface FoundLegacySignature extends LegacySignature {
  /** What the signature is over. */
  readonly bytes: Uint8Array
  readonly says: LegacyPayload
}

/**
 * Reads the manifest of signatures, or of attestations, that a manifest has; undefined where it has none.
 *
 * @throws {OciPublishError} UNSUPPORTED where the tag holds something else; INVALID_DOCUMENT; what the source says
 */
export async function readLegacyManifest(
  source: Source,
  { digest }: Pick<Descriptor, 'digest'>,
  kind: LegacyKind,
  { signal }: Abortable = {},
): Promise<LegacyManifest | undefined> {
  if (algorithmOf(digest) !== 'sha256') return undefined // too long for a tag
  const tag = legacyTag(digest, kind)
  const where = `${source.place}:${tag}`
  const descriptor = await resolveIfThere(source, tag, { signal })
  if (!descriptor) return undefined
  if (isIndexType(descriptor.mediaType) || !isManifestType(descriptor.mediaType)) {
    const message = `${where} is of type ${descriptor.mediaType}, and ${kind}s in the older form are a manifest`
    throw new OciPublishError('UNSUPPORTED', message, { hint: 'give what is under that tag another name' })
  }
  const bytes = await readDocument(source, descriptor, { signal })
  return { document: { descriptor, bytes }, manifest: parseManifest(bytes, where, descriptor.mediaType) }
}

/** A reference, a digest, and annotations that somebody typed. */
const MAX_PAYLOAD_BYTES = 1 << 20

/**
 * Reads the signatures in the older form that a manifest has; undefined where it has none.
 *
 * @throws {OciPublishError} as `readLegacyManifest`
 */
export async function readLegacy(
  source: Source,
  subject: Pick<Descriptor, 'digest'>,
  { signal, onUnreadable }: FindLegacyOptions = {},
): Promise<LegacySignatures | undefined> {
  const read = await readLegacyManifest(source, subject, 'signature', { signal })
  if (!read) return undefined
  const where = `${source.place}:${legacyTag(subject.digest)}`
  return { ...read, signatures: parseLegacy(read.manifest, where, onUnreadable) }
}

/**
 * Finds the signatures in the older form that a manifest has, with what they say, in their order. What cannot be read is
 * told and left out: one broken signature must not hide the others.
 *
 * @throws {OciPublishError} as `readLegacyManifest`
 */
export async function* findLegacySignatures(
  source: Source,
  subject: Pick<Descriptor, 'digest'>,
  { signal, onUnreadable = (): void => undefined }: FindLegacyOptions = {},
): AsyncGenerator<FoundLegacySignature> {
  const { signatures = [] } = (await readLegacy(source, subject, { signal, onUnreadable })) ?? {}
  for (const signature of signatures) {
    const { digest, size } = signature.payload
    const where = `${source.place}@${digest}`
    try {
      if (size > MAX_PAYLOAD_BYTES) {
        throw new OciPublishError('TOO_LARGE', `${where} has more than ${MAX_PAYLOAD_BYTES} bytes`)
      }
      const open = source.open(signature.payload, { signal })
      const bytes = await readAll(open, { maxBytes: MAX_PAYLOAD_BYTES, what: where, signal })
      yield { ...signature, bytes, says: parseLegacyPayload(bytes, where) }
    } catch (error) {
      if (!isUnreadable(error)) throw error
      onUnreadable(messageOf(error))
    }
  }
}
