import { allOrErrors } from '../async/all-or-errors.ts'
import { limit, type Limit } from '../async/limit.ts'
import type { Abortable } from '../async/abortable.ts'
import type { Located } from '../content/places.ts'
import { listsReferrers, type ReferrerLister, type Source } from '../content/ports.ts'
import { OciPublishError, isNotFound } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { algorithmOf, hexOf, type Digest } from '../oci/digest.ts'
import { isManifestType } from '../oci/media-type.ts'
import type { Platform } from '../oci/platform.ts'
import { formatReference, isTag, type Reference } from '../oci/reference.ts'
import { readMember, type Member } from './members.ts'

/** Something that hangs on a manifest. */
export interface Hanging {
  /** With its type and annotations. */
  readonly descriptor: Descriptor
  /** `subject`: it names the manifest. `index`: the index has both. `tag`: it has a tag made of the manifest's digest. */
  readonly by: 'subject' | 'index' | 'tag'
  readonly tag: string | undefined
  /** What hangs on it in turn: the signature of an SBOM. */
  readonly referrers: readonly Hanging[]
}

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

/** A signature of a signature of an SBOM is deep already. */
const MAX_DEPTH = 8
const MAX_FOUND = 2_000
const CONCURRENCY = 6

/** Endings of cosign's tags, which stand beside lists of referrers and are older than those. */
const TAG_ENDINGS = ['sig', 'att', 'sbom'] as const

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
  if (!listsReferrers(source)) {
    const hint = 'copy it to a layout in a directory (oci:DIR), and look there'
    throw new OciPublishError('UNSUPPORTED', `${source.place} keeps no list of what refers to its manifests`, { hint })
  }
  const root = await source.resolve(name, { signal })
  if (!isManifestType(root.mediaType)) {
    throw new OciPublishError('UNSUPPORTED', `${formatReference(reference)} is of type ${root.mediaType}, no manifest`)
  }
  const finding: Finding = { source, slot: limit(CONCURRENCY), found: new Set(), signal }
  return discoverOf(await readMember(source, root, { signal }), [], finding)
}

interface Finding extends Abortable {
  readonly source: Source & ReferrerLister
  readonly slot: Limit
  readonly found: Set<Digest>
}

async function discoverOf(
  { descriptor, platform, members }: Member,
  siblings: readonly Member[],
  finding: Finding,
): Promise<Discovered> {
  const [referrers, tagged, attestations, manifests] = await Promise.all([
    referrersOf(descriptor, 0, finding),
    taggedFor(descriptor, finding),
    allOrErrors(siblings.filter(one => one.attests === descriptor.digest).map(one => attestationOf(one, finding))),
    allOrErrors(members.filter(one => !isShownElsewhere(one, members)).map(one => discoverOf(one, members, finding))),
  ])
  return { descriptor, platform, referrers: [...referrers, ...attestations, ...tagged], manifests }
}

/** An attestation hangs on what it is about, where the index has that. */
function isShownElsewhere({ attests }: Member, members: readonly Member[]): boolean {
  return attests !== undefined && members.some(({ descriptor }) => descriptor.digest === attests)
}

async function attestationOf({ descriptor }: Member, finding: Finding): Promise<Hanging> {
  return { descriptor, by: 'index', tag: undefined, referrers: await referrersOf(descriptor, 1, finding) }
}

async function referrersOf(subject: Descriptor, depth: number, finding: Finding): Promise<readonly Hanging[]> {
  const { source, slot, found, signal } = finding
  const listed = await slot(async () => {
    const all: Descriptor[] = []
    for await (const one of source.referrers(subject, { signal })) all.push(one)
    return all
  })
  for (const { digest } of listed) found.add(digest)
  if (depth >= MAX_DEPTH || found.size > MAX_FOUND) {
    throw new OciPublishError('TOO_LARGE', `${source.place}@${subject.digest}: too much hangs on it to be shown`)
  }
  return allOrErrors(
    listed.map(async descriptor => ({
      descriptor,
      by: 'subject' as const,
      tag: undefined,
      referrers: await referrersOf(descriptor, depth + 1, finding),
    })),
  )
}

async function taggedFor(subject: Descriptor, finding: Finding): Promise<readonly Hanging[]> {
  const { source, slot, signal } = finding
  const found = await allOrErrors(
    // Those of sha512 are too long for a tag.
    TAG_ENDINGS.map(ending => `${algorithmOf(subject.digest)}-${hexOf(subject.digest)}.${ending}`)
      .filter(isTag)
      .map(tag =>
        slot(async () => {
          const descriptor = await resolveTag(source, tag, { signal })
          return descriptor && { descriptor, tag }
        }),
      ),
  )
  return allOrErrors(
    found
      .filter(one => one !== undefined)
      .map(async ({ descriptor, tag }) => {
        const referrers = isManifestType(descriptor.mediaType) ? await referrersOf(descriptor, 1, finding) : []
        return { descriptor, by: 'tag' as const, tag, referrers }
      }),
  )
}

async function resolveTag(source: Source, tag: string, io: Abortable): Promise<Descriptor | undefined> {
  try {
    return await source.resolve(tag, io)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
