import { allOrErrors } from '../async/all-or-errors.ts'
import { hangingFinder, listing, type FindHangingOptions, type Hanging } from '../content/hanging.ts'
import type { Source } from '../content/ports.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { isManifestType } from '../oci/media-type.ts'
import { manifestsIn } from './manifests-in.ts'
import type { Selection } from './select-platforms.ts'

/** What comes along with a root, and is at the target after it: a referrer, or what has a tag of cosign's. */
export interface Attached {
  /** What it hangs on. */
  readonly subject: Digest
  /** As a list of referrers has it, without what else that says. */
  readonly descriptor: Descriptor
  /** Where it is found by a tag. */
  readonly tag: string | undefined
  /** What hangs on it in turn. */
  readonly attached: readonly Attached[]
}

export interface FindReferrersOptions extends FindHangingOptions {
  readonly onNotice: (text: string) => void
}

/**
 * Everything that hangs on a root and on the manifests in it. An index that is rewritten has nothing yet: what hung on it
 * before says something about other bytes, and is left out.
 *
 * @throws {OciPublishError} UNSUPPORTED where the source lists no referrers, TOO_LARGE
 */
export async function findReferrers(
  source: Source,
  { root, contentOf, rewritten }: Selection,
  { onNotice, ...options }: FindReferrersOptions,
): Promise<readonly Attached[]> {
  const find = hangingFinder(listing(source), options)
  const subjects = (await manifestsIn(contentOf, root, options)).filter(({ digest }) => !rewritten.has(digest))
  const found = await allOrErrors(
    subjects.map(async subject => attachedOf(subject.digest, await find(subject), source, onNotice)),
  )
  for (const before of rewritten.values()) {
    const count = countOf(attachedOf(before.digest, await find(before), source, () => undefined))
    if (count === 0) continue
    const what =
      count === 1 ? '1 referrer says something about it, and is' : `${count} referrers say something about it, and are`
    onNotice(`${before.digest} is rewritten: ${what} left out; sign ${root.digest} at the target`)
  }
  return found.flat()
}

function attachedOf(
  subject: Digest,
  hanging: readonly Hanging[],
  source: Source,
  onNotice: (text: string) => void,
): readonly Attached[] {
  return hanging.flatMap(({ descriptor: { mediaType, digest, size, artifactType, annotations }, tag, referrers }) => {
    if (!isManifestType(mediaType)) {
      const name = tag === undefined ? `@${digest}` : `:${tag}`
      onNotice(`${source.place}${name} is left out: it is of type ${mediaType}, which registries do not take any more`)
      return []
    }
    const descriptor = {
      mediaType,
      digest,
      size,
      ...(artifactType && { artifactType }),
      ...(annotations && { annotations }),
    }
    return [{ subject, descriptor, tag, attached: attachedOf(digest, referrers, source, onNotice) }]
  })
}

function countOf(all: readonly Attached[]): number {
  return all.reduce((sum, { attached }) => sum + 1 + countOf(attached), 0)
}
