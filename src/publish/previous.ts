import type { Abortable } from '../async/abortable.ts'
import type { Target } from '../content/ports.ts'
import { readImages, type Base } from '../image/base.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { resolveIfThere } from '../content/resolve-if-there.ts'

/** What a target holds under the names that are about to move. */
export interface Previous {
  /** Where each tag points now. */
  readonly tags: ReadonlyMap<string, Digest | undefined>
  /** The images behind the first tag that there is: what they know of their layers need not be compressed or sent. */
  readonly images: readonly Base[]
}

/**
 * Asks a target for the names of a publication; the first contact, so an unreachable registry or wrong credentials are
 * found here, before any work.
 */
export async function readPrevious(target: Target, tags: readonly string[], io: Abortable): Promise<Previous> {
  const found = await Promise.all(tags.map(tag => resolveIfThere(target, tag, io)))
  const root = found.find(descriptor => descriptor !== undefined)
  return {
    tags: new Map(tags.map((tag, i) => [tag, found[i]?.digest])),
    images: root ? await imagesOf(target, root, io) : [],
  }
}

async function imagesOf(target: Target, root: Descriptor, io: Abortable): Promise<readonly Base[]> {
  try {
    return await readImages(target, root, io)
  } catch {
    // A chart, a broken image, a document of a newer kind: it knows nothing of layers, and that only costs time.
    io.signal?.throwIfAborted()
    return []
  }
}
