import type { Abortable } from '../async/abortable.ts'
import { DocumentBudget } from '../content/document-budget.ts'
import { readAll, verified } from '../content/verify.ts'
import { OciPublishError, isNotFound } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { parseImageIndex } from '../oci/image-index.ts'
import { MAX_MANIFEST_BYTES } from '../oci/manifest.ts'
import { isIndexType, isManifestType } from '../oci/media-type.ts'
import { MAX_DEPTH, type ContentOf } from './walk.ts'

/**
 * A root and, of an index, all manifests that are in it and in indexes within it, each once and before what is in it. Only
 * indexes are read; one that is not there, as in a sparse layout, has nothing in it.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT, TOO_LARGE
 */
export async function manifestsIn(
  contentOf: ContentOf,
  root: Descriptor,
  io: Abortable = {},
): Promise<readonly Descriptor[]> {
  const found = new Map<Digest, Descriptor>()
  const budget = new DocumentBudget()
  const add = async (descriptor: Descriptor, depth: number): Promise<void> => {
    const { digest, mediaType } = descriptor
    if (found.has(digest) || !isManifestType(mediaType)) return
    if (depth > MAX_DEPTH) throw new OciPublishError('INVALID_DOCUMENT', `${root.digest}: indexes nest too deep`)
    found.set(digest, descriptor)
    if (!isIndexType(mediaType)) return
    budget.read(descriptor, digest)
    const entries = await entriesOf(contentOf, descriptor, io)
    budget.meet(entries, digest)
    for (const one of entries) await add(one, depth + 1)
  }
  await add(root, 0)
  return [...found.values()]
}

async function entriesOf(
  contentOf: ContentOf,
  descriptor: Descriptor,
  { signal }: Abortable,
): Promise<readonly Descriptor[]> {
  const { digest, mediaType } = descriptor
  try {
    const from = verified(contentOf(descriptor).open({ signal }), descriptor, digest)
    const bytes = await readAll(from, { maxBytes: MAX_MANIFEST_BYTES, what: digest, signal })
    return parseImageIndex(bytes, digest, mediaType).manifests
  } catch (error) {
    if (isNotFound(error)) return []
    throw error
  }
}
