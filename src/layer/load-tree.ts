import { allOrErrors } from '../async/all-or-errors.ts'
import { limit } from '../async/limit.ts'
import { Once } from '../async/once.ts'
import type { Blob } from '../content/blob.ts'
import type { Cache } from '../content/cache.ts'
import type { Abortable } from '../async/abortable.ts'
import { checkLayerCount } from '../content/image-limits.ts'
import type { Digest } from '../oci/digest.ts'
import { BaseTree, emptyTree } from './base-tree.ts'
import { readLayerTree, type LayerTree, type ReadTreeOptions } from './layer-tree.ts'
import { treeBudget } from './tree-budget.ts'
import { recallTree, rememberTree } from './tree-cache.ts'

/** A layer, and what the config of its image says that it is uncompressed. */
export interface BaseLayer {
  readonly blob: Blob
  readonly diffID: Digest
}

/** Layers that are downloaded and looked through at a time. */
const AT_ONCE = 4

/**
 * The file trees of bases, each bottom layer first. A layer is only read when nobody remembers its tree, and then once,
 * however many bases have it.
 *
 * @throws {OciPublishError} when a layer cannot be read, is no tar, or is another than the base's config says; TOO_LARGE
 *   for what no honest image has
 */
export async function loadBaseTrees(
  bases: readonly (readonly BaseLayer[])[],
  cache: Cache,
  { signal }: Abortable = {},
): Promise<readonly BaseTree[]> {
  const run = limit(AT_ONCE)
  const once = new Once<string, LayerTree>()
  return allOrErrors(
    bases.map(async layers => {
      if (layers.length === 0) return emptyTree
      const from = `the base image with the top layer ${layers.at(-1)?.blob.descriptor.digest}`
      checkLayerCount(layers.length, from)
      const budget = treeBudget()
      const load = (layer: BaseLayer): Promise<LayerTree> =>
        once.run(idOf(layer), () => run(() => loadLayerTree(layer, cache, { budget, signal })))
      const trees = await allOrErrors(layers.map(load))
      return new BaseTree(trees, { entries: budget.laid, memory: budget.memory, from })
    }),
  )
}

/** Only what was compared with its diffID is remembered. */
function idOf({ blob, diffID }: BaseLayer): string {
  return `${blob.descriptor.digest}=${diffID}`
}

async function loadLayerTree(layer: BaseLayer, cache: Cache, options: ReadTreeOptions): Promise<LayerTree> {
  const id = idOf(layer)
  const known = await recallTree(cache, id, options)
  if (known) return known
  const tree = await readLayerTree(layer.blob, { diffID: layer.diffID, ...options })
  await rememberTree(cache, id, tree, options)
  return tree
}
