import { allOrErrors } from '../async/all-or-errors.ts'
import { limit } from '../async/limit.ts'
import type { Blob } from '../content/blob.ts'
import type { Cache } from '../content/cache.ts'
import type { Abortable } from '../async/abortable.ts'
import { BaseTree, emptyTree } from './base-tree.ts'
import { readLayerTree, type LayerTree } from './layer-tree.ts'
import { recallTree, rememberTree } from './tree-cache.ts'

/** Layers that are downloaded and looked through at a time. */
const AT_ONCE = 4

/**
 * The file tree of a base, bottom layer first. A layer is only read when nobody remembers its tree, and then once.
 *
 * @throws {OciPublishError} when a layer cannot be read or is no tar
 */
export async function loadBaseTree(
  layers: readonly Blob[],
  cache: Cache,
  { signal }: Abortable = {},
): Promise<BaseTree> {
  if (layers.length === 0) return emptyTree
  const run = limit(AT_ONCE)
  const trees = layers.map(layer => run(() => loadLayerTree(layer, cache, { signal })))
  return new BaseTree(await allOrErrors(trees))
}

async function loadLayerTree(layer: Blob, cache: Cache, options: Abortable): Promise<LayerTree> {
  const { digest } = layer.descriptor
  const known = await recallTree(cache, digest, options)
  if (known) return known
  const tree = await readLayerTree(layer, options)
  await rememberTree(cache, digest, tree, options)
  return tree
}
