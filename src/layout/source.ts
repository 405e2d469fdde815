import type { Abortable } from '../async/abortable.ts'
import type { Source } from '../content/ports.ts'
import { readAll, verified } from '../content/verify.ts'
import { OciPublishError, isNotFound } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { isDigest, parseDigest, type Digest } from '../oci/digest.ts'
import { MAX_MANIFEST_BYTES } from '../oci/manifest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../oci/media-type.ts'
import { parseJson } from '../parse.ts'
import { findEntry, parseEntries, tagsOf, withoutNames } from './entries.ts'
import { INDEX_FILE, blobFile, type LayoutFiles } from './files.ts'

/** Reads a layout, of which blobs may be missing (image-spec v1.1.1, image-layout.md). */
export function layoutSource(files: LayoutFiles): Pick<Required<Source>, 'place' | 'resolve' | 'open' | 'tags'> {
  const { place } = files
  return {
    place,

    async resolve(name, { signal } = {}) {
      const entries = await (isDigest(name) ? entriesSoFar(files, { signal }) : readEntries(files, { signal }))
      const entry = findEntry(entries, name, place)
      if (entry) return withoutNames(entry)
      return describe(files, parseDigest(name), { signal })
    },

    async *open(descriptor, { offset = 0, signal } = {}) {
      const name = blobFile(descriptor.digest)
      const bytes = files.read(name, { offset, signal })
      yield* offset === 0 ? verified(bytes, descriptor, `${place}, ${name}`) : bytes
    },

    async *tags({ signal, onOther } = {}) {
      yield* tagsOf(await readEntries(files, { signal }), onOther)
    },
  }
}

/** @throws {OciPublishError} NOT_FOUND where index.json is not written yet, INVALID_DOCUMENT */
async function readEntries(files: LayoutFiles, { signal }: Abortable): Promise<readonly Descriptor[]> {
  const where = `${files.place}, ${INDEX_FILE}`
  const from = files.read(INDEX_FILE, { signal })
  return parseEntries(await readAll(from, { maxBytes: MAX_MANIFEST_BYTES, what: where, signal }), where)
}

/** The entries of index.json, none where it is not written yet. */
export async function entriesSoFar(files: LayoutFiles, options: Abortable): Promise<readonly Descriptor[]> {
  try {
    return await readEntries(files, options)
  } catch (error) {
    if (isNotFound(error)) return []
    throw error
  }
}

/** A manifest below those that index.json names, of which the layout alone says neither type nor size. */
async function describe(files: LayoutFiles, digest: Digest, { signal }: Abortable): Promise<Descriptor> {
  const name = blobFile(digest)
  const where = `${files.place}, ${name}`
  const size = await files.sizeOf(name, { signal })
  if (size === undefined) throw new OciPublishError('NOT_FOUND', `${files.place} has no ${digest}`)
  const blob = { mediaType: 'application/octet-stream', digest, size }
  if (size > MAX_MANIFEST_BYTES) return blob
  const from = verified(files.read(name, { signal }), blob, where)
  const bytes = await readAll(from, { maxBytes: MAX_MANIFEST_BYTES, what: where, signal })
  return { ...blob, mediaType: manifestTypeOf(bytes, where) ?? blob.mediaType }
}

function manifestTypeOf(bytes: Uint8Array, where: string): string | undefined {
  if (bytes[0] !== 0x7b) return undefined // "{"
  const document = parseJson(bytes, where)
  if (typeof document !== 'object' || document === null) return undefined
  if ('mediaType' in document && typeof document.mediaType === 'string') return document.mediaType
  if ('manifests' in document) return OCI_INDEX
  return 'layers' in document ? OCI_MANIFEST : undefined
}
