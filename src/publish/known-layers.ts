import { createHash } from 'node:crypto'
import * as v from 'valibot'
import type { Blob } from '../content/blob.ts'
import type { Cache } from '../content/cache.ts'
import type { Abortable } from '../async/abortable.ts'
import type { Target } from '../content/ports.ts'
import { namedLayers, type Base } from '../image/base.ts'
import { knowsNothing, knownLayers, ownLayers, type LayerKind, type NamedLayer, type Reuse } from '../layer/reuse.ts'
import { bare, descriptorSchema, type Descriptor } from '../oci/descriptor.ts'
import { isDigest, type Digest } from '../oci/digest.ts'
import { inFamily, layerCompression } from '../oci/media-type.ts'
import { samePlatform, type Platform } from '../oci/platform.ts'
import { parse, parseJson } from '../parse.ts'
import type { Previous } from './previous.ts'

/** A target, and what it held when the run began. */
export interface Asked {
  readonly target: Target
  readonly previous: Previous
}

/** What images are built on in this run; undefined: on nothing. */
export type Below = readonly { readonly platform: Platform; readonly image: Base }[] | undefined

/** Layers of a target's earlier publications are remembered up to this number, the latest first. */
const MAX_REMEMBERED = 256

/**
 * Which layers need not be made, because the signer of this run has signed the image that has them: then they are what
 * their diffIDs say, wherever they are to go. Of an image on another base none are taken, because nobody can say which of
 * its layers were that base's, and what a base says of its own layers is its publisher's word.
 */
export function signedReuse(asked: readonly Asked[], kind: LayerKind, below: Below): Reuse {
  const places = asked.map(({ target, previous }) => {
    const own = previous.signed.map(image => ownLayers(layersOf(image), layersBelow(image, below)))
    return { target, known: knownAmong(own, kind) }
  })
  return reuseOf(places, kind, 'some')
}

/**
 * Which layers need not be made by the word of the repositories themselves: the configs of the images behind their tags,
 * and, for tags that are new with every run, what the cache remembers. Who may push there could replace the image as
 * well, so nothing is lost by it; but that word is good for the same repository only, so all have to say the same.
 */
export async function toldReuse(
  asked: readonly Asked[],
  kind: LayerKind,
  { below = [], cache, ...io }: Abortable & { readonly below: Below; readonly cache: Cache },
): Promise<Reuse> {
  const ofBases = new Set(below.flatMap(({ image }) => layersOf(image)).map(({ descriptor }) => descriptor.digest))
  const places = asked.map(async ({ target, previous }) => {
    const remembered = await recallLayers(cache, target.place, io)
    const told = knownAmong(previous.images.map(layersOf), kind)
    const all = [...remembered.filter(([, one]) => isOfKind(one, kind)), ...told]
    return { target, known: new Map(all.filter(([, { digest }]) => !ofBases.has(digest))) }
  })
  return reuseOf(await Promise.all(places), kind, 'every')
}

interface Place {
  readonly target: Target
  readonly known: ReadonlyMap<Digest, Descriptor>
}

/** Whatever is said to be there is asked for once more. @param by whose word is needed */
function reuseOf(places: readonly Place[], { family }: LayerKind, by: 'some' | 'every'): Reuse {
  const mayKnow = places.length > 0 && places[by](({ known }) => known.size > 0)
  if (!mayKnow) return knowsNothing
  return {
    mayKnow,
    async find(diffID, { signal } = {}): Promise<Blob | undefined> {
      const said = places.map(({ known }) => known.get(diffID))
      if (by === 'every' && said.some(one => one === undefined || one.digest !== said[0]?.digest)) return undefined
      for (const [i, { target }] of places.entries()) {
        const descriptor = said[i]
        if (descriptor && (await target.has(descriptor, { signal }))) {
          return {
            descriptor: { ...bare(descriptor), mediaType: inFamily(descriptor.mediaType, family) },
            open: options => target.open(descriptor, options),
          }
        }
      }
      return undefined
    },
  }
}

interface Named extends NamedLayer {
  readonly descriptor: Descriptor
}

function layersOf(image: Base): readonly Named[] {
  return namedLayers(image).map(({ blob: { descriptor }, diffID }) => ({ diffID, descriptor }))
}

function layersBelow({ platform }: Base, below: Below): readonly (readonly NamedLayer[])[] | undefined {
  return below?.filter(one => samePlatform(one.platform, platform)).map(({ image }) => layersOf(image))
}

function knownAmong(images: readonly (readonly Named[])[], kind: LayerKind): ReadonlyMap<Digest, Descriptor> {
  const known = images.flatMap(layers => {
    const descriptors = layers.map(({ descriptor }) => descriptor)
    const diffIDs = layers.map(({ diffID }) => diffID)
    return [...knownLayers(descriptors, diffIDs, kind)]
  })
  return new Map(known)
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
