import { limit, type Limit } from '../async/limit.ts'
import { Once } from '../async/once.ts'
import type { Blob } from '../content/blob.ts'
import type { Abortable } from '../async/abortable.ts'
import { DocumentBudget } from '../content/document-budget.ts'
import type { Source } from '../content/ports.ts'
import { readAll } from '../content/verify.ts'
import { OciPublishError } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { parseImageConfig, type ImageConfig } from '../oci/image-config.ts'
import { isAttestation, parseImageIndex } from '../oci/image-index.ts'
import { MAX_MANIFEST_BYTES, parseManifest, type Manifest } from '../oci/manifest.ts'
import { isIndexType, isManifestType } from '../oci/media-type.ts'
import { acceptablePlatforms, formatPlatform, normalisePlatform, samePlatform, type Platform } from '../oci/platform.ts'

/** The base image for one platform, pinned by digest. */
export interface Base {
  /** Of the platform's manifest. */
  readonly manifest: Descriptor
  /** What it is for, normalised; differs from what was asked for where a lower variant stands in. */
  readonly platform: Platform
  readonly config: ImageConfig
  readonly layers: readonly Blob[]
}

export interface BaseImage {
  /** What the reference stood for when it was resolved: an index or a manifest. */
  readonly root: Descriptor
  /** For each platform asked for, in that order. */
  readonly bases: readonly Base[]
}

/** The layers of an image, each with what the config says that it is uncompressed. */
export function namedLayers({ config, layers }: Base): readonly { readonly blob: Blob; readonly diffID: Digest }[] {
  return layers.flatMap((blob, i) => {
    const diffID = config.rootfs.diff_ids[i]
    return diffID === undefined ? [] : [{ blob, diffID }]
  })
}

/** Nested indexes are allowed; documents that nest deeper are an attack or a mistake. */
const MAX_DEPTH = 8

/**
 * Reads an image to build on, and chooses the child for each platform: itself, else a lower variant of the same
 * architecture. Attestations and entries of unknown kinds are passed over.
 *
 * @throws {OciPublishError} BASE_LACKS_PLATFORM, once for all platforms, naming what the base has; TOO_LARGE
 */
export async function resolveBase(
  source: Source,
  name: string,
  platforms: readonly Platform[],
  { signal }: Abortable = {},
): Promise<BaseImage> {
  const reading = readingOf(source, signal)
  const root = await source.resolve(name, { signal })
  const candidates = await runnable(root, 0, reading)
  const chosen = platforms.map(wanted => choose(wanted, candidates))
  const lacking = platforms.filter((_, i) => chosen[i] === undefined).map(formatPlatform)
  if (lacking.length > 0) {
    const platforms = new Set(candidates.map(({ platform }) => formatPlatform(platform)))
    const has = [...platforms].slice(0, MAX_NAMED).join(', ') || 'nothing to run'
    throw new OciPublishError(
      'BASE_LACKS_PLATFORM',
      `the base image ${source.place} (${root.digest}) lacks ${lacking.join(' and ')}; it has ${has}`,
      { hint: `choose "platforms" among what it has, or another "base-image"` },
    )
  }
  const bases = chosen.filter(one => one !== undefined).map(one => readBase(one, reading))
  return { root, bases: await Promise.all(bases) }
}

/** Every image to run that a manifest or an index stands for, attestations left out. */
export async function readImages(
  source: Source,
  root: Descriptor,
  { signal }: Abortable = {},
): Promise<readonly Base[]> {
  const reading = readingOf(source, signal)
  const candidates = await runnable(root, 0, reading)
  return Promise.all(candidates.map(candidate => readBase(candidate, reading)))
}

/** Platforms that an error names. */
const MAX_NAMED = 40

const CONCURRENCY = 6

function readingOf(source: Source, signal: AbortSignal | undefined): Reading {
  return { source, documents: new Once(), budget: new DocumentBudget(), slot: limit(CONCURRENCY), signal }
}

interface Reading extends Abortable {
  readonly source: Source
  readonly budget: DocumentBudget
  readonly slot: Limit
  /** A manifest is asked for its platform and again for its layers, and platforms may share one. */
  readonly documents: Once<Digest, Uint8Array>
}

interface Candidate {
  readonly manifest: Descriptor
  readonly platform: Platform
}

async function runnable(descriptor: Descriptor, depth: number, reading: Reading): Promise<readonly Candidate[]> {
  const where = whereOf(reading.source, descriptor)
  if (depth > MAX_DEPTH) throw new OciPublishError('INVALID_DOCUMENT', `${where}: indexes nest too deep`)
  if (!isIndexType(descriptor.mediaType)) {
    return [{ manifest: descriptor, platform: await platformOf(descriptor, reading) }]
  }
  const bytes = await document(descriptor, reading)
  reading.budget.check(where)
  const index = parseImageIndex(bytes, where, descriptor.mediaType)
  reading.budget.meet(index.manifests, where)
  const children = index.manifests.filter(child => isManifestType(child.mediaType) && !isAttestation(child))
  return (await Promise.all(children.map(child => runnable(child, depth + 1, reading)))).flat()
}

/** The index may leave the platform out; the config has it. */
async function platformOf(descriptor: Descriptor, reading: Reading): Promise<Platform> {
  if (descriptor.platform) return normalisePlatform(descriptor.platform)
  const { config } = await manifestOf(descriptor, reading)
  return normalisePlatform(await configOf(config, reading))
}

function choose(wanted: Platform, candidates: readonly Candidate[]): Candidate | undefined {
  for (const platform of acceptablePlatforms(wanted)) {
    // The first that matches, as image-index.md wants readers to do.
    const found = candidates.find(candidate => samePlatform(candidate.platform, platform))
    if (found) return found
  }
  return undefined
}

async function readBase({ manifest, platform }: Candidate, reading: Reading): Promise<Base> {
  const { config: configDescriptor, layers } = await manifestOf(manifest, reading)
  const config = await configOf(configDescriptor, reading)
  if (config.rootfs.diff_ids.length !== layers.length) {
    throw new OciPublishError(
      'INVALID_DOCUMENT',
      `${whereOf(reading.source, manifest)}: ${layers.length} layers, but ${config.rootfs.diff_ids.length} diffIDs`,
    )
  }
  const { source } = reading
  return {
    manifest,
    platform,
    config,
    layers: layers.map(descriptor => ({ descriptor, open: options => source.open(descriptor, options) })),
  }
}

async function manifestOf(descriptor: Descriptor, reading: Reading): Promise<Manifest> {
  return parseManifest(await document(descriptor, reading), whereOf(reading.source, descriptor), descriptor.mediaType)
}

async function configOf(descriptor: Descriptor, reading: Reading): Promise<ImageConfig> {
  return parseImageConfig(await document(descriptor, reading), whereOf(reading.source, descriptor))
}

function document(descriptor: Descriptor, { source, documents, budget, slot, signal }: Reading): Promise<Uint8Array> {
  const what = whereOf(source, descriptor)
  return documents.run(descriptor.digest, () => {
    budget.read(descriptor, what)
    return slot(() => readAll(source.open(descriptor, { signal }), { maxBytes: MAX_MANIFEST_BYTES, what, signal }))
  })
}

function whereOf({ place }: Source, { digest }: Descriptor): string {
  return `${place}@${digest}`
}
