import { allOrErrors } from '../async/all-or-errors.ts'
import { limit } from '../async/limit.ts'
import { Once } from '../async/once.ts'
import type { Blob } from '../content/blob.ts'
import type { Abortable } from '../async/abortable.ts'
import { annotationsFor } from '../image/annotations.ts'
import { compose } from '../image/compose.ts'
import { planConfig } from '../image/config.ts'
import { assemble, type Image, type ImageLayer } from '../image/image.ts'
import { buildLayer, type BuiltLayer } from '../layer/build.ts'
import { expandLine } from '../layer/line.ts'
import type { LayerRecipe } from '../layer/recipe.ts'
import type { Platform } from '../oci/platform.ts'
import { baseAnnotations } from './base-annotations.ts'
import type { PublishDeps } from './deps.ts'
import { createdBy } from './history.ts'
import { signedReuse, toldReuse, type Below } from './known-layers.ts'
import type { Prepared } from './prepare.ts'

/** What is to be published, complete: an index over images, or the only image. */
export interface Built {
  readonly root: Blob
  readonly images: readonly Image[]
}

/** Two at a time: while one layer is read, the other keeps the compressing threads busy. */
const LAYERS_AT_ONCE = 2

/**
 * Makes what is not known yet, and puts images and index together.
 *
 * @param onLayer told as soon as a layer that was made is complete, so that it can travel while others are made
 */
export async function build(
  prepared: Prepared,
  deps: PublishDeps,
  onLayer: (layer: Blob) => void,
  io: Abortable,
): Promise<Built> {
  const { request, targets } = prepared
  const below = belowOf(prepared)
  const reuse = prepared.vouches
    ? signedReuse(targets, request, below)
    : await toldReuse(targets, request, { below, cache: deps.cache, ...io })
  const slot = limit(LAYERS_AT_ONCE)
  const shared = new Once<LayerRecipe, BuiltLayer>()
  const build = (recipe: LayerRecipe): Promise<BuiltLayer> =>
    shared.run(recipe, () =>
      slot(async () => {
        const { family, compression, compressionLevel: level } = request
        const { cache, tempDir, onEvent } = deps
        const layer = await buildLayer(recipe, { family, compression, level, reuse, cache, tempDir, onEvent, ...io })
        if (layer.origin === 'assembled') onLayer(layer.blob)
        return layer
      }),
    )
  const layers = await allOrErrors(prepared.recipes.map(recipes => allOrErrors(recipes.map(build))))
  const images = request.platforms.map((platform, i) => imageOf(prepared, platform, i, layers[i] ?? []))
  return { images, root: rootOf(prepared, images) }
}

/** A lower variant of an architecture may stand in for the platform. */
function belowOf({ request, base }: Prepared): Below {
  return (
    base &&
    request.platforms.flatMap((platform, i) => {
      const image = base.image.bases[i]
      return image ? [{ platform, image }] : []
    })
  )
}

function imageOf(
  { request, base, created }: Prepared,
  platform: Platform,
  i: number,
  built: readonly BuiltLayer[],
): Image {
  const under = base?.image.bases[i]
  const own = built.map(({ diffID, blob, origin }): ImageLayer => ({ diffID, blob, origin }))
  const config = planConfig({
    base: under?.config,
    platform,
    change: request.config,
    layers: request.layers.flatMap((spec, j) => {
      const layer = built[j]
      return layer ? [{ diffID: layer.diffID, createdBy: createdBy(expandLine(spec, platform), request.context) }] : []
    }),
    created,
  })
  const ofBase = (under?.layers ?? []).map((blob, j): ImageLayer => {
    const diffID = under?.config.rootfs.diff_ids[j]
    if (diffID === undefined) throw new TypeError('a layer of the base without a diffID') // resolveBase refuses such a base
    return { diffID, blob, origin: 'base' }
  })
  return assemble({
    platform,
    config,
    layers: [...ofBase, ...own],
    annotations: {
      ...(base && under && request.family === 'oci' && baseAnnotations(base.reference, under.manifest.digest)),
      ...annotationsFor(request.annotations, 'manifest', platform),
    },
    family: request.family,
  })
}

function rootOf({ request, base }: Prepared, images: readonly Image[]): Blob {
  const [only] = images
  if (only && images.length === 1 && request.index !== 'always') return only.manifest
  return compose({
    images,
    annotations: {
      ...(base && request.family === 'oci' && baseAnnotations(base.reference, base.image.root.digest)),
      ...annotationsFor(request.annotations, 'index'),
    },
    entryAnnotations: platform => annotationsFor(request.annotations, 'manifest-descriptor', platform),
    family: request.family,
  })
}
