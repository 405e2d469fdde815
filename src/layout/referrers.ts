import type { ReferrersOptions, Source } from '../content/ports.ts'
import { readAll } from '../content/verify.ts'
import { OciPublishError, isNotFound } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { MAX_MANIFEST_BYTES } from '../oci/manifest.ts'
import { isManifestType } from '../oci/media-type.ts'
import { referrerOf, type Referrer } from '../oci/referrer.ts'

/** All manifests that the entries of a layout name. Each is read once. */
const MAX_READ_BYTES = 256 << 20

/**
 * What refers to a manifest, among the entries of a layout's index.json: others keep it there too, without a name.
 *
 * @throws {OciPublishError} TOO_LARGE
 */
type ReferrersAmong = (
  entries: readonly Descriptor[],
  subject: Digest,
  options?: ReferrersOptions,
) => AsyncGenerator<Descriptor>

/** Finds referrers in one layout; what was read once is known by its digest. */
export function referrersOf(source: Pick<Source, 'place' | 'open'>): ReferrersAmong {
  const known = new Map<Digest, Referrer | undefined>()
  let bytesRead = 0

  async function find(entry: Descriptor, options: ReferrersOptions): Promise<Referrer | undefined> {
    if (known.has(entry.digest)) return known.get(entry.digest)
    const bytes = await bytesOf(entry, source, options)
    if (!bytes) return undefined // it may come
    bytesRead += bytes.byteLength
    if (bytesRead > MAX_READ_BYTES) {
      throw new OciPublishError(
        'TOO_LARGE',
        `${source.place}: its manifests have more than ${MAX_READ_BYTES} bytes together`,
      )
    }
    const referrer = referrerOf(entry, bytes)
    known.set(entry.digest, referrer)
    return referrer
  }

  return async function* (entries, subject, { artifactType, signal } = {}) {
    const seen = new Set<Digest>()
    for (const entry of entries) {
      if (seen.has(entry.digest) || !isManifestType(entry.mediaType)) continue
      seen.add(entry.digest)
      const referrer = await find(entry, { signal })
      if (referrer?.subject !== subject) continue
      if (artifactType !== undefined && referrer.descriptor.artifactType !== artifactType) continue
      yield referrer.descriptor
    }
  }
}

/** undefined for what the layout names and has not. */
async function bytesOf(
  entry: Descriptor,
  { place, open }: Pick<Source, 'place' | 'open'>,
  { signal }: ReferrersOptions,
): Promise<Uint8Array | undefined> {
  try {
    const what = `${place}@${entry.digest}`
    return await readAll(open(entry, { signal }), { maxBytes: MAX_MANIFEST_BYTES, what, signal })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
