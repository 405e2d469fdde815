import type { Abortable } from '../async/abortable.ts'
import { bytesBlob, type Blob } from '../content/blob.ts'
import { DocumentBudget } from '../content/document-budget.ts'
import type { Source } from '../content/ports.ts'
import { readAll } from '../content/verify.ts'
import { InputError, OciPublishError } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { parseImageConfig } from '../oci/image-config.ts'
import { isAttestation, parseImageIndex } from '../oci/image-index.ts'
import { MAX_MANIFEST_BYTES, parseManifest, toDocument, type Document } from '../oci/manifest.ts'
import { DOCKER_CONFIG, OCI_CONFIG, isIndexType, isManifestType } from '../oci/media-type.ts'
import { formatPlatform, normalisePlatform, type Platform } from '../oci/platform.ts'
import { parseJson } from '../parse.ts'
import { MAX_DEPTH, blobsOf, type ContentOf } from './walk.ts'

/** What is left of a root when only some platforms are wanted. */
export interface Selection {
  /** The root itself where nothing had to be left out. */
  readonly root: Descriptor
  readonly contentOf: ContentOf
  /** Indexes that are others now, by their new digest: what each was before. */
  readonly rewritten: ReadonlyMap<Digest, Descriptor>
}

/**
 * Keeps of an index the entries for some platforms, and the attestations of what is kept; all else of the document stays
 * as it is, fields that nobody knows included. Whatever has no platform is for none, and is left out.
 *
 * @param platforms as `parsePlatform` gives them; none: everything
 * @throws {InputError} when a platform is not there, naming what is
 */
export async function selectPlatforms(
  source: Source,
  root: Descriptor,
  platforms: readonly Platform[],
  { signal }: Abortable = {},
): Promise<Selection> {
  const fromSource = blobsOf(source)
  if (platforms.length === 0) return { root, contentOf: fromSource, rewritten: new Map() }
  const selecting: Selecting = {
    source,
    wanted: new Set(platforms.map(formatPlatform)),
    seen: new Set(),
    documents: new Map(),
    rewritten: new Map(),
    budget: new DocumentBudget(),
    signal,
  }
  const selected = await select(root, 0, selecting)
  const { wanted, seen, documents, rewritten } = selecting
  const lacking = [...wanted].filter(platform => !seen.has(platform))
  if (lacking.length > 0 || !selected) {
    const has = [...seen].join(', ') || 'nothing to run'
    const problem = `${source.place}@${root.digest} lacks ${lacking.join(' and ')}; it has ${has}`
    throw new InputError([{ input: 'platforms', problem }])
  }
  const contentOf: ContentOf = descriptor => documents.get(descriptor.digest) ?? fromSource(descriptor)
  return { root: selected, contentOf, rewritten }
}

interface Selecting extends Abortable {
  readonly source: Source
  readonly wanted: ReadonlySet<string>
  /** Platforms that there are. */
  readonly seen: Set<string>
  /** Indexes as they were, and as they became. */
  readonly documents: Map<Digest, Blob>
  readonly rewritten: Map<Digest, Descriptor>
  readonly budget: DocumentBudget
}

/** @returns undefined when nothing of it is wanted */
async function select(descriptor: Descriptor, depth: number, selecting: Selecting): Promise<Descriptor | undefined> {
  if (isIndexType(descriptor.mediaType)) return selectOfIndex(descriptor, depth, selecting)
  const platform = await platformOf(descriptor, selecting)
  if (platform === undefined) return undefined
  selecting.seen.add(platform)
  return selecting.wanted.has(platform) ? descriptor : undefined
}

async function selectOfIndex(
  descriptor: Descriptor,
  depth: number,
  selecting: Selecting,
): Promise<Descriptor | undefined> {
  const where = whereOf(descriptor, selecting)
  if (depth > MAX_DEPTH) throw new OciPublishError('INVALID_DOCUMENT', `${where}: indexes nest too deep`)
  const bytes = await read(descriptor, selecting)
  const { manifests } = parseImageIndex(bytes, where, descriptor.mediaType)
  selecting.budget.meet(manifests, where)
  const left = new Map<Descriptor, Descriptor>()
  for (const entry of manifests.filter(one => isManifestType(one.mediaType) && !isAttestation(one))) {
    const selected = await select(entry, depth + 1, selecting)
    if (selected) left.set(entry, selected)
  }
  const kept = new Set<string>([...left.keys()].map(({ digest }) => digest))
  for (const entry of manifests) if (kept.has(subjectOf(entry))) left.set(entry, entry)
  if (kept.size === 0) return undefined
  const unchanged = manifests.every(entry => left.get(entry) === entry)
  const document = unchanged ? { descriptor, bytes } : rewritten(bytes, descriptor, manifests, left)
  selecting.documents.set(document.descriptor.digest, bytesBlob(document))
  if (!unchanged) selecting.rewritten.set(document.descriptor.digest, descriptor)
  return unchanged ? descriptor : document.descriptor
}

/** The same document with other entries: everything that is not about them stays, in its order. */
function rewritten(
  bytes: Uint8Array,
  { mediaType }: Descriptor,
  manifests: readonly Descriptor[],
  left: ReadonlyMap<Descriptor, Descriptor>,
): Document {
  const document = parseJson(bytes, 'index') as { readonly manifests: readonly object[] }
  const entries = manifests.flatMap((entry, i) => {
    const selected = left.get(entry)
    const typed = document.manifests[i]
    if (!selected || !typed) return []
    if (selected === entry) return [typed]
    const { digest, size } = selected
    const others = Object.entries(typed).filter(([key]) => key !== 'data') // of what it was before
    return [{ ...Object.fromEntries(others), digest, size }]
  })
  return toDocument(mediaType, { ...document, manifests: entries })
}

/** BuildKit's attestations name what they are about. */
function subjectOf({ annotations }: Descriptor): string {
  return annotations?.['vnd.docker.reference.digest'] ?? ''
}

/** The index may leave the platform out; then the config has it, if it is an image. */
async function platformOf(descriptor: Descriptor, selecting: Selecting): Promise<string | undefined> {
  if (descriptor.platform) return formatPlatform(normalisePlatform(descriptor.platform))
  const where = whereOf(descriptor, selecting)
  const { config } = parseManifest(await read(descriptor, selecting), where, descriptor.mediaType)
  if (config.mediaType !== OCI_CONFIG && config.mediaType !== DOCKER_CONFIG) return undefined
  return formatPlatform(normalisePlatform(parseImageConfig(await read(config, selecting), whereOf(config, selecting))))
}

async function read(descriptor: Descriptor, selecting: Selecting): Promise<Uint8Array> {
  const { source, budget, signal } = selecting
  const what = whereOf(descriptor, selecting)
  budget.read(descriptor, what)
  return readAll(source.open(descriptor, { signal }), { maxBytes: MAX_MANIFEST_BYTES, what, signal })
}

function whereOf({ digest }: Descriptor, { source }: Selecting): string {
  return `${source.place}@${digest}`
}
