import { rm } from 'node:fs/promises'
import { describedAs, type Blob } from '../content/blob.ts'
import type { Cache } from '../content/cache.ts'
import type { Abortable } from '../async/abortable.ts'
import { bare } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { inFamily, type Compression, type Family } from '../oci/media-type.ts'
import type { OnLayerEvent } from './event.ts'
import { compressLayer, hashLayer, type Hashed } from './passes.ts'
import type { LayerRecipe } from './recipe.ts'
import type { Reuse } from './reuse.ts'
import { recall, remember, type Remembered } from './stat-cache.ts'

export interface BuildLayerOptions extends Abortable {
  readonly compression: Compression
  /** undefined is the compression's default. */
  readonly level?: number | undefined
  readonly family: Family
  readonly reuse: Reuse
  readonly cache: Cache
  /** Where compressed layers are written. They are needed for as long as their blobs are; the caller removes it. */
  readonly tempDir: string
  readonly onEvent?: OnLayerEvent | undefined
}

export interface BuiltLayer {
  readonly diffID: Digest
  readonly blob: Blob
  /** `cached`: an earlier publication has it, so nothing is kept of what may have been compressed. */
  readonly origin: 'assembled' | 'cached'
  /** Bytes. */
  readonly uncompressedSize: number
}

/**
 * Makes a layer, or finds that it is known.
 *
 * Compressing costs about ten times what reading and hashing do, and those cost ten times what looking at times and
 * sizes does. So files that look as they did when a diffID was remembered are not read; if they look touched but may be
 * the same, they are hashed first; if nothing can know the layer, or a size tells that it is new, hash and compression
 * share one pass.
 *
 * @throws {OciPublishError} when files cannot be read or change meanwhile; nothing is left behind
 */
export async function buildLayer(recipe: LayerRecipe, options: BuildLayerOptions): Promise<BuiltLayer> {
  const { cache, reuse, signal, onEvent } = options
  const { line, fingerprint, key, settled } = recipe
  signal?.throwIfAborted()
  onEvent?.({ type: 'layer-start', line, bytes: bytesOf(recipe) })

  const remembered = await recall(cache, key, { signal })
  const unchanged = remembered?.exact === fingerprint.exact ? remembered : undefined
  const mayBeKnown = reuse.mayKnow && mayBeTheSame(remembered, recipe)
  const hashed = unchanged ?? (mayBeKnown ? await hashLayer(recipe, options) : undefined)
  const built =
    (hashed && (await findKnown(hashed, options))) ?? (await assemble(recipe, options, hashed === undefined))

  if (settled && unchanged?.diffID !== built.diffID) {
    const made = { ...fingerprint, diffID: built.diffID, size: built.uncompressedSize }
    await remember(cache, key, made, { signal })
  }
  onEvent?.({ type: 'layer-done', line, origin: built.origin })
  return built
}

function bytesOf({ content }: LayerRecipe): number | undefined {
  return content.kind === 'tar' ? undefined : content.entries.reduce((sum, { entry }) => sum + entry.size, 0)
}

/** Nothing is remembered of a fresh checkout on a new machine; if something is, another shape is another layer. */
function mayBeTheSame(remembered: Remembered | undefined, { fingerprint }: LayerRecipe): boolean {
  return remembered === undefined || remembered.shape === fingerprint.shape
}

async function findKnown(hashed: Hashed, options: BuildLayerOptions): Promise<BuiltLayer | undefined> {
  const { reuse, family, signal } = options
  const { diffID, size } = hashed
  const known = reuse.mayKnow ? await reuse.find(diffID, { signal }) : undefined
  if (!known) return undefined
  const { descriptor } = known
  const blob = describedAs(known, { ...bare(descriptor), mediaType: inFamily(descriptor.mediaType, family) })
  return { diffID, blob, origin: 'cached', uncompressedSize: size }
}

async function assemble(recipe: LayerRecipe, options: BuildLayerOptions, ask: boolean): Promise<BuiltLayer> {
  const { blob, path, ...hashed } = await compressLayer(recipe, options)
  const known = ask ? await findKnown(hashed, options) : undefined
  if (!known) return { diffID: hashed.diffID, blob, origin: 'assembled', uncompressedSize: hashed.size }
  // Only now is it clear that the layer went back to what it was: what others have already is better than new bytes.
  await rm(path, { force: true })
  return known
}
