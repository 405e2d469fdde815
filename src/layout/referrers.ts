import type { ReferrersOptions, Source } from '../content/ports.ts'
import { readAll } from '../content/verify.ts'
import { isNotFound } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { MAX_MANIFEST_BYTES } from '../oci/manifest.ts'
import { isManifestType } from '../oci/media-type.ts'
import { referrerOf } from '../oci/referrer.ts'

/** What refers to a manifest, among the entries of a layout's index.json: others keep it there too, without a name. */
export async function* referrersAmong(
  entries: readonly Descriptor[],
  source: Pick<Source, 'place' | 'open'>,
  subject: Digest,
  { artifactType, signal }: ReferrersOptions = {},
): AsyncGenerator<Descriptor> {
  const seen = new Set<Digest>()
  for (const entry of entries) {
    if (seen.has(entry.digest) || !isManifestType(entry.mediaType)) continue
    seen.add(entry.digest)
    const bytes = await bytesOf(entry, source, { signal })
    const referrer = bytes && referrerOf(entry, bytes)
    if (referrer?.subject !== subject) continue
    if (artifactType !== undefined && referrer.descriptor.artifactType !== artifactType) continue
    yield referrer.descriptor
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
