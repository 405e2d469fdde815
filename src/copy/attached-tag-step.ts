import type { Abortable } from '../async/abortable.ts'
import type { Source, Target } from '../content/ports.ts'
import { readAll } from '../content/verify.ts'
import { OciPublishError } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { MAX_MANIFEST_BYTES, parseManifest } from '../oci/manifest.ts'
import { isIndexType, isManifestType } from '../oci/media-type.ts'
import { resolveIfThere } from '../content/resolve-if-there.ts'

/** What becomes of one of cosign's tags at a target. `leave`: what is there has all that would come, and more. */
export type AttachedTagStep = 'keep' | 'move' | 'leave'

/**
 * Cosign keeps all signatures of a manifest in one, so that whoever signs at the target changes the manifest under the tag.
 * Such signatures are not lost to a copy.
 *
 * @throws {OciPublishError} TAG_EXISTS where each side has what the other has not
 */
export async function attachedTagStep(
  source: Source,
  wanted: Descriptor,
  target: Target,
  tag: string,
  io: Abortable,
): Promise<AttachedTagStep> {
  const now = await resolveIfThere(target, tag, io)
  if (!now) return 'move'
  if (now.digest === wanted.digest) return 'keep'
  const [coming, there] = await Promise.all([partsOf(source, wanted, io), partsOf(target, now, io)])
  if (coming && there) {
    if ([...coming].every(part => there.has(part))) return 'leave'
    if ([...there].every(part => coming.has(part))) return 'move'
  }
  throw new OciPublishError(
    'TAG_EXISTS',
    `${target.place}:${tag} is ${now.digest}, which has what ${wanted.digest} of ${source.place} has not, and lacks what that has`,
    {
      hint: 'delete that tag, copy again, and sign again at the target; or sign in the form of bundles, which do not share a tag',
    },
  )
}

/** The layers, with the signatures that stand in their annotations; undefined for what has none. */
async function partsOf(
  source: Source,
  descriptor: Descriptor,
  { signal }: Abortable,
): Promise<ReadonlySet<string> | undefined> {
  const { digest, mediaType } = descriptor
  if (!isManifestType(mediaType) || isIndexType(mediaType)) return undefined
  const what = `${source.place}@${digest}`
  const bytes = await readAll(source.open(descriptor, { signal }), { maxBytes: MAX_MANIFEST_BYTES, what, signal })
  const { layers } = parseManifest(bytes, what, mediaType)
  return new Set(
    layers.map(({ digest: part, annotations = {} }) => {
      return JSON.stringify([part, Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1))])
    }),
  )
}
