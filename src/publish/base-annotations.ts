import type { Annotations } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { formatReference, type Reference } from '../oci/reference.ts'

const NAME = 'org.opencontainers.image.base.name'
const DIGEST = 'org.opencontainers.image.base.digest'

/**
 * image-spec v1.1.1, annotations.md: what tools that rebase, or propose updates, go by. A layout has no name that means
 * anything elsewhere, so it is only told by its digest.
 */
export function baseAnnotations(reference: Reference, digest: Digest): Annotations {
  if (reference.kind !== 'registry') return { [DIGEST]: digest }
  return { [NAME]: formatReference(reference), [DIGEST]: digest }
}
