import { allOrErrors } from '../async/all-or-errors.ts'
import { limit, type Limit } from '../async/limit.ts'
import type { Abortable } from '../async/abortable.ts'
import { DocumentBudget } from '../content/document-budget.ts'
import type { Source } from '../content/ports.ts'
import { readAll } from '../content/verify.ts'
import { InputError, OciPublishError, isNotFound } from '../errors.ts'
import type { Annotations, Descriptor } from '../oci/descriptor.ts'
import { isDigest, type Digest } from '../oci/digest.ts'
import { parseImageConfig, type ImageConfig } from '../oci/image-config.ts'
import { isAttestation, parseImageIndex } from '../oci/image-index.ts'
import { MAX_MANIFEST_BYTES, parseManifest, type Manifest } from '../oci/manifest.ts'
import { DOCKER_CONFIG, OCI_CONFIG, isIndexType, isManifestType } from '../oci/media-type.ts'
import { acceptablePlatforms, formatPlatform, normalisePlatform, samePlatform, type Platform } from '../oci/platform.ts'

/** What a manifest turns out to be, with what there is to know of it. The descriptor is as its parent has it. */
export type Inspected = InspectedIndex | InspectedImage | InspectedAttestation | InspectedArtifact | Uninspected

interface InspectedIndex {
  readonly kind: 'index'
  readonly descriptor: Descriptor
  readonly artifactType: string | undefined
  readonly annotations: Annotations
  readonly subject: Descriptor | undefined
  /** In the order of the document. */
  readonly manifests: readonly Inspected[]
}

export interface InspectedImage {
  readonly kind: 'image'
  readonly descriptor: Descriptor
  readonly annotations: Annotations
  readonly subject: Descriptor | undefined
  /** What the config says, normalised; the index may leave it out. */
  readonly platform: Platform
  readonly config: Descriptor
  readonly settings: ImageConfig
  readonly layers: readonly Descriptor[]
}

/** BuildKit keeps them as children of the index. */
interface InspectedAttestation {
  readonly kind: 'attestation'
  readonly descriptor: Descriptor
  /** The manifest that is attested. */
  readonly of: Digest | undefined
  readonly predicateTypes: readonly string[]
}

/** A manifest that is nothing to run: a chart, a signature, an SBOM, a model. */
interface InspectedArtifact {
  readonly kind: 'artifact'
  readonly descriptor: Descriptor
  /** Its own, else its config's type, as image-spec has it for artifacts. */
  readonly artifactType: string
  readonly annotations: Annotations
  readonly subject: Descriptor | undefined
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

/** `missing`: a layout need not have all children. `other`: neither a manifest nor an index, so nothing is read. */
interface Uninspected {
  readonly kind: 'missing' | 'other'
  readonly descriptor: Descriptor
}

export interface InspectOptions extends Abortable {
  /** Only this one: what is found is its image, or one for a lower variant of the same architecture. */
  readonly platform?: Platform | undefined
}

/** Indexes within indexes: more is an attack or a mistake. */
const MAX_DEPTH = 8
const CONCURRENCY = 6

/**
 * Reads everything that a name stands for, but for layers.
 *
 * @throws {OciPublishError} NOT_FOUND, INVALID_DOCUMENT, TOO_LARGE
 * @throws {InputError} for a platform that is not there, with those that are
 */
export async function inspect(
  source: Source,
  name: string,
  { platform, signal }: InspectOptions = {},
): Promise<Inspected> {
  const root = await source.resolve(name, { signal })
  const reading: Reading = { source, slot: limit(CONCURRENCY), wanted: platform, budget: new DocumentBudget(), signal }
  const bytes = await documentOf(source, root, { signal })
  const found = await read(root, bytes, 0, reading)
  return platform === undefined ? found : only(platform, found, source)
}

/**
 * The bytes of a manifest or config exactly as they are stored, whatever they hold.
 *
 * @throws {OciPublishError} NOT_FOUND, TOO_LARGE
 */
export async function documentOf(
  source: Source,
  descriptor: Descriptor,
  { signal }: Abortable = {},
): Promise<Uint8Array> {
  const what = whereOf(source, descriptor)
  return readAll(source.open(descriptor, { signal }), { maxBytes: MAX_MANIFEST_BYTES, what, signal })
}

/** The images among what was found, through indexes within indexes. */
export function imagesOf(found: Inspected): readonly InspectedImage[] {
  if (found.kind === 'index') return found.manifests.flatMap(imagesOf)
  return found.kind === 'image' ? [found] : []
}

interface Reading extends Abortable {
  readonly source: Source
  readonly slot: Limit
  readonly wanted: Platform | undefined
  readonly budget: DocumentBudget
}

async function read(descriptor: Descriptor, bytes: Uint8Array, depth: number, reading: Reading): Promise<Inspected> {
  const { source } = reading
  const where = whereOf(source, descriptor)
  if (isIndexType(descriptor.mediaType)) {
    if (depth >= MAX_DEPTH) throw new OciPublishError('INVALID_DOCUMENT', `${where}: indexes nest too deep`)
    reading.budget.check(where)
    const { manifests, annotations = {}, artifactType, subject } = parseImageIndex(bytes, where, descriptor.mediaType)
    reading.budget.meet(manifests, where)
    const inspected = await allOrErrors(manifests.map(child => readChild(child, depth + 1, reading)))
    return { kind: 'index', descriptor, annotations, artifactType, subject, manifests: inspected }
  }
  if (!isManifestType(descriptor.mediaType)) return { kind: 'other', descriptor }
  const manifest = parseManifest(bytes, where, descriptor.mediaType)
  const { config, layers, annotations = {}, subject } = manifest
  if (isAttestation(descriptor)) return attestation(descriptor, layers)
  if (![OCI_CONFIG, DOCKER_CONFIG].includes(config.mediaType)) {
    return {
      kind: 'artifact',
      descriptor,
      artifactType: artifactTypeOf(manifest),
      annotations,
      subject,
      config,
      layers,
    }
  }
  const settings = parseImageConfig(await reading.slot(() => boundedDocument(config, reading)), whereOf(source, config))
  const platform = normalisePlatform(settings)
  return { kind: 'image', descriptor, annotations, subject, platform, config, settings, layers }
}

async function readChild(descriptor: Descriptor, depth: number, reading: Reading): Promise<Inspected> {
  const { slot, wanted } = reading
  if (!isManifestType(descriptor.mediaType) || (wanted && isOther(descriptor, wanted))) {
    return { kind: 'other', descriptor }
  }
  let bytes: Uint8Array
  try {
    bytes = await slot(() => boundedDocument(descriptor, reading))
  } catch (error) {
    if (isNotFound(error)) return { kind: 'missing', descriptor }
    throw error
  }
  return read(descriptor, bytes, depth, reading)
}

function boundedDocument(descriptor: Descriptor, { source, budget, signal }: Reading): Promise<Uint8Array> {
  budget.read(descriptor, whereOf(source, descriptor))
  return documentOf(source, descriptor, { signal })
}

/** Whether the index says already that it is not what is wanted. */
function isOther(descriptor: Descriptor, wanted: Platform): boolean {
  const { platform } = descriptor
  if (isAttestation(descriptor)) return true
  return platform !== undefined && !acceptablePlatforms(wanted).some(one => samePlatform(one, platform))
}

function artifactTypeOf({ artifactType, config }: Manifest): string {
  return artifactType ?? config.mediaType
}

function attestation(descriptor: Descriptor, layers: readonly Descriptor[]): InspectedAttestation {
  const of = descriptor.annotations?.['vnd.docker.reference.digest'] ?? ''
  const predicateTypes = layers.map(({ annotations }) => annotations?.['in-toto.io/predicate-type'])
  return {
    kind: 'attestation',
    descriptor,
    of: isDigest(of) ? of : undefined,
    predicateTypes: predicateTypes.filter(type => type !== undefined),
  }
}

function only(wanted: Platform, found: Inspected, { place }: Source): InspectedImage {
  const images = imagesOf(found)
  for (const platform of acceptablePlatforms(wanted)) {
    // The index has the word where it names a platform, as for those who pull.
    const image = images.find(one => samePlatform(one.descriptor.platform ?? one.platform, platform))
    if (image) return image
  }
  const has = [...new Set(platformsOf(found))].join(', ')
  const problem = `${place} (${found.descriptor.digest}) lacks ${formatPlatform(wanted)}; it has ${has || 'nothing to run'}`
  throw new InputError([{ input: 'platform', problem }])
}

function platformsOf(found: Inspected): readonly string[] {
  const { kind, descriptor } = found
  if (kind === 'index') return found.manifests.flatMap(platformsOf)
  const platform = descriptor.platform ?? (kind === 'image' ? found.platform : undefined)
  return platform === undefined || isAttestation(descriptor) ? [] : [formatPlatform(normalisePlatform(platform))]
}

function whereOf({ place }: Source, { digest }: Descriptor): string {
  return `${place}@${digest}`
}
