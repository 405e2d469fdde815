import { algorithmOf, hexOf, type Digest } from './digest.ts'
import { isTag, type Tag } from './tag.ts'

/** Endings of cosign's tags, which stand beside lists of referrers and are older than those. */
const ENDINGS = ['sig', 'att', 'sbom'] as const

/** For a digest of sha512 it is too long to be a tag. */
export function attachedTag(digest: Digest, ending: (typeof ENDINGS)[number]): string {
  return `${algorithmOf(digest)}-${hexOf(digest)}.${ending}`
}

const ATTACHED = /^sha(?:256|512)-[0-9a-f]{64,}\.(?:sig|att|sbom)$/

/** Where cosign keeps what belongs to a manifest: `sha256-<hex>.sig`, `.att`, `.sbom`. Those of sha512 are too long. */
export function attachedTags(digest: Digest): readonly Tag[] {
  return ENDINGS.map(ending => attachedTag(digest, ending)).filter(isTag)
}

/** Whether a tag says that what is under it belongs to some manifest. */
export function isAttachedTag(tag: string): boolean {
  return ATTACHED.test(tag)
}
