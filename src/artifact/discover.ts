import { allOrErrors } from '../async/all-or-errors.ts'
import type { Abortable } from '../async/abortable.ts'
import { hangingFinder, listing, type FindHanging, type Hanging } from '../content/hanging.ts'
import type { Located } from '../content/places.ts'
import { OciPublishError } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { isManifestType } from '../oci/media-type.ts'
import type { Platform } from '../oci/platform.ts'
import { formatReference, type Reference } from '../oci/reference.ts'
import { readMember, type Member } from './members.ts'

/** A manifest with all that hangs on it, and of an index the same for what is in it. */
export interface Discovered {
  readonly descriptor: Descriptor
  readonly platform: Platform | undefined
  readonly referrers: readonly Hanging[]
  readonly manifests: readonly Discovered[]
}

export interface DiscoverDeps {
  /** Only builds; nothing is touched before the first call. */
  readonly locate: (reference: Reference) => Pick<Located, 'source' | 'name'>
}

/**
 * Finds everything that hangs on what a reference stands for, and on each platform of an index: referrers and what refers
 * to them, attestations that the index keeps, and what cosign keeps under tags.
 *
 * @throws {OciPublishError} NOT_FOUND; UNSUPPORTED where nobody lists referrers
 */
export async function discover(
  reference: Reference,
  { locate }: DiscoverDeps,
  { signal }: Abortable = {},
): Promise<Discovered> {
  const { source, name } = locate(reference)
  const find = hangingFinder(listing(source), { signal })
  const root = await source.resolve(name, { signal })
  if (!isManifestType(root.mediaType)) {
    throw new OciPublishError('UNSUPPORTED', `${formatReference(reference)} is of type ${root.mediaType}, no manifest`)
  }
  return discoverOf(await readMember(source, root, { signal }), [], find)
}

async function discoverOf(
  { descriptor, platform, members }: Member,
  siblings: readonly Member[],
  find: FindHanging,
): Promise<Discovered> {
  const [hanging, attestations, manifests] = await Promise.all([
    find(descriptor),
    allOrErrors(siblings.filter(one => one.attests === descriptor.digest).map(one => attestationOf(one, find))),
    allOrErrors(members.filter(one => !isShownElsewhere(one, members)).map(one => discoverOf(one, members, find))),
  ])
  return { descriptor, platform, referrers: [...hanging, ...attestations], manifests }
}

/** An attestation hangs on what it is about, where the index has that. */
function isShownElsewhere({ attests }: Member, members: readonly Member[]): boolean {
  return attests !== undefined && members.some(({ descriptor }) => descriptor.digest === attests)
}

async function attestationOf({ descriptor }: Member, find: FindHanging): Promise<Hanging> {
  return { descriptor, by: 'index', tag: undefined, referrers: await find(descriptor) }
}
