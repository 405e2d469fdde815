import { allOrErrors } from '../async/all-or-errors.ts'
import { limit } from '../async/limit.ts'
import type { Abortable } from '../async/abortable.ts'
import { OciPublishError } from '../errors.ts'
import { attachedTags } from '../oci/attached-tag.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { isManifestType } from '../oci/media-type.ts'
import { listsReferrers, type ReferrerLister, type Source } from './ports.ts'
import { resolveIfThere } from './resolve-if-there.ts'

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

/** Finds all that hangs on one manifest: referrers, then what cosign keeps under tags; of each what hangs on that. */
export type FindHanging = (subject: Descriptor) => Promise<readonly Hanging[]>

export interface FindHangingOptions extends Abortable {
  /** Where all tags are known: which need not be asked for. */
  readonly hasTag?: ((tag: string) => boolean) | undefined
}

/** A signature of a signature of an SBOM is deep already. */
const MAX_DEPTH = 8
const MAX_FOUND = 2_000
const CONCURRENCY = 6

/**
 * A look at everything that hangs on manifests of one source. All that it finds together is bounded, and so is how much is
 * asked at a time.
 */
export function hangingFinder(
  source: Source & ReferrerLister,
  { hasTag = () => true, signal }: FindHangingOptions = {},
): FindHanging {
  const slot = limit(CONCURRENCY)
  let met = 0

  function meet(subject: Descriptor, some: number, depth: number): void {
    met += some
    if (some === 0 || (depth < MAX_DEPTH && met <= MAX_FOUND)) return
    throw new OciPublishError('TOO_LARGE', `${source.place}@${subject.digest}: too much hangs on it`)
  }

  async function listed(subject: Descriptor, depth: number): Promise<readonly Hanging[]> {
    const all = await slot(async () => {
      const found: Descriptor[] = []
      for await (const one of source.referrers(subject, { signal })) {
        meet(subject, 1, depth) // before the next one is asked for
        found.push(one)
      }
      return found
    })
    return allOrErrors(
      all.map(async descriptor => ({
        descriptor,
        by: 'subject' as const,
        tag: undefined,
        referrers: await hangingOn(descriptor, depth + 1),
      })),
    )
  }

  async function tagged(subject: Descriptor, depth: number): Promise<readonly Hanging[]> {
    const tags = attachedTags(subject.digest).filter(hasTag)
    const found = await allOrErrors(
      tags.map(tag =>
        slot(async () => {
          const descriptor = await resolveIfThere(source, tag, { signal })
          return descriptor ? [{ descriptor, tag }] : []
        }),
      ),
    )
    meet(subject, found.flat().length, depth)
    return allOrErrors(
      found.flat().map(async ({ descriptor, tag }) => ({
        descriptor,
        by: 'tag' as const,
        tag,
        referrers: isManifestType(descriptor.mediaType) ? await hangingOn(descriptor, depth + 1) : [],
      })),
    )
  }

  async function hangingOn(subject: Descriptor, depth: number): Promise<readonly Hanging[]> {
    const found = await allOrErrors([listed(subject, depth), tagged(subject, depth)])
    return found.flat()
  }

  return subject => hangingOn(subject, 0)
}

/** @throws {OciPublishError} UNSUPPORTED where nobody lists referrers */
export function listing(source: Source): Source & ReferrerLister {
  if (listsReferrers(source)) return source
  const hint = 'copy it to a layout in a directory (oci:DIR), and look there'
  throw new OciPublishError('UNSUPPORTED', `${source.place} keeps no list of what refers to its manifests`, { hint })
}
