import { limit } from '../async/limit.ts'
import { bytesBlob, type Blob } from '../content/blob.ts'
import type { Abortable } from '../async/abortable.ts'
import type { Source } from '../content/ports.ts'
import { readAll, verified } from '../content/verify.ts'
import { OciPublishError, isNotFound } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { parseImageIndex } from '../oci/image-index.ts'
import { MAX_MANIFEST_BYTES, parseManifest } from '../oci/manifest.ts'
import { isIndexType, isManifestType, isNondistributable } from '../oci/media-type.ts'
import { settle } from './settle.ts'

/**
 * Where the bytes of a descriptor are. Images under construction are values that no source holds yet, so a copy is from
 * wherever each blob happens to be.
 */
export type ContentOf = (descriptor: Descriptor) => Blob

/** Everything that a source has. */
export function blobsOf(source: Source): ContentOf {
  return descriptor => ({ descriptor, open: options => source.open(descriptor, options) })
}

/** One manifest or blob, and what has to be at a target before it. */
export interface GraphNode {
  readonly blob: Blob
  readonly isManifest: boolean
  /** In the order of the document, each once. */
  readonly children: readonly GraphNode[]
}

/** Every digest once, children before their parents, the root last. */
export type Graph = readonly GraphNode[]

export interface WalkOptions extends Abortable {
  /** How many manifests are read, or blobs carried, at a time. */
  readonly concurrency?: number | undefined
}

export interface ReadOptions extends WalkOptions {
  /** Manifests for which this is true are not read: they count as ones without children. */
  readonly passOver?: ((manifest: Descriptor) => Promise<boolean>) | undefined
}

export const CONCURRENCY = 4

/** Indexes within indexes. Nobody nests more than one; somebody might want us to be busy for ever. */
export const MAX_DEPTH = 8

/** All manifests of a graph together: they are kept while it is copied. */
const MAX_DOCUMENT_BYTES = 64 << 20

/**
 * Reads what a root consists of: of manifests config and layers, of indexes their manifests. `subject` is not followed,
 * what has an unknown media type is a blob, and layers that only their publisher may serve are left out where the
 * manifest says from where they are had and the source has them not.
 *
 * A manifest that is not there counts as one without children: a sparse layout may lack what the target has. Whoever
 * pushes it will know.
 *
 * @throws {OciPublishError} INVALID_DOCUMENT, TOO_LARGE
 */
export async function readGraph(
  contentOf: ContentOf,
  root: Descriptor,
  { passOver = () => Promise.resolve(false), concurrency = CONCURRENCY, signal }: ReadOptions = {},
): Promise<Graph> {
  const slot = limit(concurrency)
  const seen = new Map<Digest, Found>()
  let bytes = 0
  let level = [root]
  for (let depth = 0; level.length > 0; depth++) {
    const fresh = level.filter(descriptor => isFresh(seen, descriptor))
    const manifests = fresh.filter(({ mediaType }) => isManifestType(mediaType))
    bytes += manifests.reduce((sum, { size }) => sum + size, 0)
    if (manifests.length > 0) checkBounds(root, depth, bytes)
    const read = await settle(
      manifests.map(one =>
        slot(async () => ((await passOver(one)) ? leaf(contentOf(one)) : readManifest(contentOf, one, signal))),
      ),
      signal,
    )
    for (const found of read) seen.set(found.blob.descriptor.digest, found)
    for (const one of fresh) if (!isManifestType(one.mediaType)) seen.set(one.digest, leaf(contentOf(one)))
    level = read.flatMap(({ children }) => children)
  }
  return inOrder(root, seen)
}

interface Found {
  readonly blob: Blob
  readonly children: readonly Descriptor[]
}

function leaf(blob: Blob): Found {
  return { blob, children: [] }
}

/** Marks what is met for the first time; what is met again has to be the same thing. */
function isFresh(seen: Map<Digest, Found>, descriptor: Descriptor): boolean {
  const known = seen.get(descriptor.digest)?.blob.descriptor
  if (!known) {
    seen.set(descriptor.digest, leaf(pending(descriptor)))
    return true
  }
  if (known.size !== descriptor.size || isManifestType(known.mediaType) !== isManifestType(descriptor.mediaType)) {
    const say = ({ mediaType, size }: Descriptor): string => `${mediaType} of ${size} bytes`
    throw new OciPublishError(
      'INVALID_DOCUMENT',
      `${descriptor.digest} is described in two ways: ${say(known)}, and ${say(descriptor)}`,
    )
  }
  return false
}

function pending(descriptor: Descriptor): Blob {
  return {
    descriptor,
    open: () => {
      throw new Error(`${descriptor.digest} is not read yet`)
    },
  }
}

function checkBounds({ digest }: Descriptor, depth: number, bytes: number): void {
  if (depth > MAX_DEPTH) {
    throw new OciPublishError('INVALID_DOCUMENT', `${digest}: indexes are nested more than ${MAX_DEPTH} deep`)
  }
  if (bytes > MAX_DOCUMENT_BYTES) {
    throw new OciPublishError(
      'TOO_LARGE',
      `${digest}: its manifests have more than ${MAX_DOCUMENT_BYTES} bytes together`,
    )
  }
}

async function readManifest(
  contentOf: ContentOf,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Promise<Found> {
  const blob = contentOf(descriptor)
  const { digest, mediaType, size } = descriptor
  signal?.throwIfAborted()
  if (size > MAX_MANIFEST_BYTES) {
    throw new OciPublishError('TOO_LARGE', `${digest}: a manifest of ${size} bytes, ${MAX_MANIFEST_BYTES} are allowed`)
  }
  let bytes: Uint8Array
  try {
    const from = verified(blob.open({ signal }), descriptor, digest)
    bytes = await readAll(from, { maxBytes: MAX_MANIFEST_BYTES, what: digest, signal })
  } catch (error) {
    if (isNotFound(error)) return leaf(blob)
    throw error
  }
  const children: Descriptor[] = []
  for (const child of childrenOf(bytes, digest, mediaType)) {
    if (!isElsewhere(child) || (await isHere(contentOf(child), signal))) children.push(child)
  }
  return { blob: bytesBlob({ descriptor, bytes }), children }
}

/** Whether whoever wants the layer is told where its publisher serves it (image-spec, "Non-distributable layers"). */
function isElsewhere({ mediaType, urls = [] }: Descriptor): boolean {
  return isNondistributable(mediaType) && urls.length > 0
}

/** Only its beginning is read. */
async function isHere(blob: Blob, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    const reading = blob.open({ signal })[Symbol.asyncIterator]()
    await reading.next()
    await reading.return?.()
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

function childrenOf(bytes: Uint8Array, where: string, mediaType: string): readonly Descriptor[] {
  if (isIndexType(mediaType)) return parseImageIndex(bytes, where, mediaType).manifests
  const { config, layers } = parseManifest(bytes, where, mediaType)
  return [config, ...layers]
}

function inOrder(root: Descriptor, found: ReadonlyMap<Digest, Found>): Graph {
  const nodes = new Map<Digest, GraphNode>()
  const add = ({ digest }: Descriptor): GraphNode | undefined => {
    const known = nodes.get(digest)
    const one = found.get(digest)
    if (known || !one) return known
    const children = new Set(one.children.map(add).filter(child => child !== undefined))
    const node = { blob: one.blob, isManifest: isManifestType(one.blob.descriptor.mediaType), children: [...children] }
    nodes.set(digest, node)
    return node
  }
  add(root)
  return [...nodes.values()]
}

/** All that stands below some nodes, without them. */
export function below(nodes: Iterable<GraphNode>): ReadonlySet<GraphNode> {
  const all = new Set<GraphNode>()
  const add = ({ children }: GraphNode): void => {
    for (const child of children) {
      if (all.has(child)) continue
      all.add(child)
      add(child)
    }
  }
  for (const node of nodes) add(node)
  return all
}
