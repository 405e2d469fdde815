import { createHash, randomUUID } from 'node:crypto'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { gzip } from '../archive/gzip.ts'
import { writeTar, type TarItem } from '../archive/tar/write.ts'
import { zstd } from '../archive/zstd.ts'
import { fileBlob, type Blob } from '../content/blob.ts'
import type { Abortable } from '../async/abortable.ts'
import { finishDigest, type Digest } from '../oci/digest.ts'
import { layerMediaType, type Compression, type Family } from '../oci/media-type.ts'
import type { PlannedEntry } from './entries.ts'
import type { OnLayerEvent } from './event.ts'
import { openReadyTar } from './from-tar.ts'
import type { LayerRecipe } from './recipe.ts'

/** What a layer is, however it is compressed. */
export interface Hashed {
  readonly diffID: Digest
  /** Bytes, uncompressed. */
  readonly size: number
}

export interface Compressed extends Hashed {
  readonly blob: Blob
  /** The file that the blob is read from. */
  readonly path: string
}

interface PassOptions extends Abortable {
  readonly onEvent?: OnLayerEvent | undefined
}

export interface CompressOptions extends PassOptions {
  readonly compression: Compression
  readonly level?: number | undefined
  readonly family: Family
  readonly tempDir: string
}

/** Reads everything, and compresses nothing. */
export async function hashLayer(recipe: LayerRecipe, options: PassOptions): Promise<Hashed> {
  const tar = measured(recipe, 'hash', options)
  // The chunks have been hashed when they arrive; nobody else wants them.
  for (const chunks = tar.chunks[Symbol.asyncIterator](); (await chunks.next()).done !== true;);
  return tar.result()
}

/**
 * Reads, hashes, compresses, hashes again and writes, in one stream. The file is for this user only: layers of private
 * images are as private.
 */
export async function compressLayer(
  recipe: LayerRecipe,
  { compression, level, family, tempDir, signal, onEvent }: CompressOptions,
): Promise<Compressed> {
  const path = join(tempDir, `layer-${randomUUID()}`)
  const tar = measured(recipe, 'compress', { signal, onEvent })
  const stored = createHash('sha256')
  let size = 0
  let file: FileHandle | undefined
  try {
    file = await open(path, 'wx', 0o600)
    for await (const chunk of compressed(tar.chunks, compression, { level, signal })) {
      stored.update(chunk)
      size += chunk.byteLength
      await file.writeFile(chunk)
    }
    await file.close()
  } catch (error) {
    await file?.close().catch(() => undefined) // the first failure is the one to tell
    await rm(path, { force: true })
    throw error
  }
  const descriptor = { mediaType: layerMediaType(family, compression), digest: finishDigest(stored), size }
  return { ...tar.result(), blob: fileBlob(path, descriptor), path }
}

function compressed(
  tar: AsyncIterable<Uint8Array>,
  compression: Compression,
  options: Abortable & { readonly level?: number | undefined },
): AsyncIterable<Uint8Array> {
  switch (compression) {
    case 'gzip':
      return gzip(tar, options)
    case 'zstd':
      return zstd(tar, options)
    case 'none':
      return tar
  }
}

/** The uncompressed layer; once it was read, `result` knows what it was. */
function measured(
  recipe: LayerRecipe,
  pass: 'hash' | 'compress',
  { signal, onEvent }: PassOptions,
): { readonly chunks: AsyncIterable<Uint8Array>; result(): Hashed } {
  const hash = createHash('sha256')
  let size = 0
  async function* read(): AsyncGenerator<Uint8Array> {
    for await (const chunk of openTar(recipe, { signal })) {
      signal?.throwIfAborted()
      hash.update(chunk)
      size += chunk.byteLength
      onEvent?.({ type: 'layer-bytes', line: recipe.line, delta: chunk.byteLength, pass })
      yield chunk
    }
  }
  return { chunks: read(), result: () => ({ diffID: finishDigest(hash), size }) }
}

function openTar({ content }: LayerRecipe, options: Abortable): AsyncIterable<Uint8Array> {
  return content.kind === 'tar'
    ? openReadyTar(content.file, content.found, options)
    : writeTar(items(content.entries), options)
}

function* items(entries: readonly PlannedEntry[]): Generator<TarItem> {
  for (const { entry, source } of entries) {
    yield entry.type === 'file' && source ? { entry, body: { path: source.path, found: source } } : { entry }
  }
}
