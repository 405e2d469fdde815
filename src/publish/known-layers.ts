import { createHash } from 'node:crypto'
import * as v from 'valibot'
import type { Blob } from '../content/blob.ts'
import type { Cache } from '../content/cache.ts'
import type { Abortable } from '../async/abortable.ts'
import type { Target } from '../content/ports.ts'
import { knownLayers, type LayerKind, type Reuse } from '../layer/reuse.ts'
import { bare, descriptorSchema, type Descriptor } from '../oci/descriptor.ts'
import { isDigest, type Digest } from '../oci/digest.ts'
import { inFamily, layerCompression } from '../oci/media-type.ts'
import { parse, parseJson } from '../parse.ts'
import type { Previous } from './previous.ts'

/** A target, and what it held when the run began. */
export interface Asked {
  readonly target: Target
  readonly previous: Previous
}

/** Layers of a target's earlier publications are remembered up to this number, the latest first. */
const MAX_REMEMBERED = 256

/**
 * Which layers need not be made, because a target has them: those of the image behind the tag, and, for tags that are new
 * with every run, those that the cache remembers of the target. Whatever is said to be there is asked for once more.
 */
export async function reuseOf(asked: readonly Asked[], kind: LayerKind, cache: Cache, io: Abortable): Promise<Reuse> {
  const places = await Promise.all(
    asked.map(async ({ target, previous }) => {
      const remembered = await recallLayers(cache, target.place, io)
      const ofImages = previous.images.flatMap(({ config, layers }) => {
        const descriptors = layers.map(({ descriptor }) => descriptor)
        return [...knownLayers(descriptors, config.rootfs.diff_ids, kind)]
      })
      return { target, known: new Map([...remembered.filter(([, one]) => isOfKind(one, kind)), ...ofImages]) }
    }),
  )
  return {
    mayKnow: places.some(({ known }) => known.size > 0),
    async find(diffID, { signal } = {}): Promise<Blob | undefined> {
      for (const { target, known } of places) {
        const descriptor = known.get(diffID)
        if (descriptor && (await target.has(descriptor, { signal }))) {
          return {
            descriptor: { ...bare(descriptor), mediaType: inFamily(descriptor.mediaType, kind.family) },
            open: options => target.open(descriptor, options),
          }
        }
      }
      return undefined
    },
  }
}

function isOfKind({ mediaType }: Descriptor, { compression }: LayerKind): boolean {
  return layerCompression(mediaType) === compression
}

type Known = readonly (readonly [diffID: Digest, descriptor: Descriptor])[]

const schema: v.GenericSchema<unknown, Known> = v.array(
  v.tuple([v.pipe(v.string(), v.guard(isDigest)), descriptorSchema]),
)

async function recallLayers(cache: Cache, place: string, io: Abortable): Promise<Known> {
  const key = keyOf(place)
  const bytes = await cache.read(key, io)
  try {
    return bytes === undefined ? [] : parse(schema, parseJson(bytes, key), key)
  } catch {
    return [] // of an older form, or broken: it only costs time
  }
}

/** Remembers what a target has now, for runs whose tags are new. */
export async function rememberLayers(cache: Cache, place: string, layers: Known, io: Abortable): Promise<void> {
  const before = await recallLayers(cache, place, io)
  const all = new Map([...layers, ...before.filter(([diffID]) => !layers.some(([one]) => one === diffID))])
  const kept = [...all].slice(0, MAX_REMEMBERED)
  if (JSON.stringify(kept) === JSON.stringify(before)) return
  await cache.write(keyOf(place), new TextEncoder().encode(JSON.stringify(kept)), io)
}

function keyOf(place: string): string {
  return `layers-of/v1/${createHash('sha256').update(place).digest('hex')}`
}
