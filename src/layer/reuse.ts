import type { Blob } from '../content/blob.ts'
import type { Abortable } from '../async/abortable.ts'
import { bare, type Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { inFamily, isNondistributable, layerCompression, type Compression, type Family } from '../oci/media-type.ts'

/** Where compressed layers of earlier publications may be found by what is in them. */
export interface Reuse {
  /** Whether it is worth knowing a diffID before compressing. */
  readonly mayKnow: boolean
  find(diffID: Digest, options?: Abortable): Promise<Blob | undefined>
}

/** For the first publication ever. */
export const knowsNothing: Reuse = { mayKnow: false, find: () => Promise.resolve(undefined) }

export interface LayerKind {
  readonly compression: Compression
  readonly family: Family
}

/** A layer as an image names it. */
export interface NamedLayer {
  readonly diffID: Digest
  readonly descriptor: Pick<Descriptor, 'digest'>
}

/**
 * The layers of an image above the base that it was built on, which is one of some; none where it was built on another
 * one, because nobody can say how many layers that had.
 *
 * @param bases their layers; undefined: it was built on nothing
 */
export function ownLayers<T extends NamedLayer>(
  layers: readonly T[],
  bases: readonly (readonly NamedLayer[])[] | undefined,
): readonly T[] {
  if (!bases) return layers
  const below = bases.find(base =>
    base.every(({ diffID, descriptor }, i) => {
      const layer = layers[i]
      return layer?.diffID === diffID && layer.descriptor.digest === descriptor.digest
    }),
  )
  return below ? layers.slice(below.length) : []
}

/**
 * The layers of a published image by diffID, as far as they are of the kind that is wanted, described in the family that
 * is wanted. Of two with one diffID the first. Layers without a home in the registry (Windows bases of old) are left out.
 */
export function knownLayers(
  layers: readonly Descriptor[],
  diffIDs: readonly Digest[],
  { compression, family }: LayerKind,
): ReadonlyMap<Digest, Descriptor> {
  const known = new Map<Digest, Descriptor>()
  if (layers.length !== diffIDs.length) return known // no saying which is which
  for (const [i, descriptor] of layers.entries()) {
    const diffID = diffIDs[i]
    if (diffID === undefined || known.has(diffID) || isNondistributable(descriptor.mediaType)) continue
    if (layerCompression(descriptor.mediaType) !== compression) continue
    known.set(diffID, bare({ ...descriptor, mediaType: inFamily(descriptor.mediaType, family) }))
  }
  return known
}
