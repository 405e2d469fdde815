import type { Abortable } from '../async/abortable.ts'
import { resolveIfThere } from '../content/resolve-if-there.ts'
import type { Target } from '../content/ports.ts'
import { readImages, type Base } from '../image/base.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'

/** What a target holds under the names that are about to move. */
export interface Previous {
  /** Where each tag points now. */
  readonly tags: ReadonlyMap<string, Digest | undefined>
  /** The images behind the first tag that there is. Whoever may push put them there. */
  readonly images: readonly Base[]
  /** Those of them that the signer of this run has signed. */
  readonly signed: readonly Base[]
}

/** Whether a manifest carries a signature by the signer of this run. */
export type IsSigned = (target: Target, manifest: Descriptor, io: Abortable) => Promise<boolean>

export interface PreviousOptions extends Abortable {
  /** undefined where this run has no signer, or does not need to know. */
  readonly isSigned?: IsSigned | undefined
}

/** Images of an index that nobody signed as a whole, and that are looked at one by one. */
const MAX_ALONE = 8

/**
 * Asks a target for the names of a publication; the first contact, so an unreachable registry or wrong credentials are
 * found here, before any work.
 */
export async function readPrevious(
  target: Target,
  tags: readonly string[],
  { isSigned, signal }: PreviousOptions,
): Promise<Previous> {
  const io = { signal }
  const found = await Promise.all(tags.map(tag => resolveIfThere(target, tag, io)))
  const root = found.find(descriptor => descriptor !== undefined)
  const [images, isWhole] = root
    ? await Promise.all([imagesOf(target, root, io), isSignedThere(target, root, isSigned, io)])
    : [[], false]
  return {
    tags: new Map(tags.map((tag, i) => [tag, found[i]?.digest])),
    images,
    // A signature over the root is one over everything in it: children and configs were read by their digests.
    signed: isWhole ? images : await signedAlone(target, root, images, { isSigned, signal }),
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

async function signedAlone(
  target: Target,
  root: Descriptor | undefined,
  images: readonly Base[],
  { isSigned, signal }: PreviousOptions,
): Promise<readonly Base[]> {
  if (!isSigned) return []
  const others = images.filter(({ manifest }) => manifest.digest !== root?.digest).slice(0, MAX_ALONE)
  const are = await Promise.all(others.map(({ manifest }) => isSignedThere(target, manifest, isSigned, { signal })))
  return others.filter((_, i) => are[i])
}

/** For signatures, and a trusted root to hold against them: compressing again takes less than waiting longer. */
const PATIENCE_MS = 15_000

/** Where it cannot be known it is not signed, which only costs time. */
async function isSignedThere(
  target: Target,
  manifest: Descriptor,
  isSigned: IsSigned | undefined,
  io: Abortable,
): Promise<boolean> {
  try {
    const signal = AbortSignal.any([AbortSignal.timeout(PATIENCE_MS), ...(io.signal ? [io.signal] : [])])
    return (await isSigned?.(target, manifest, { signal })) ?? false
  } catch {
    io.signal?.throwIfAborted()
    return false
  }
}
