import { createHash } from 'node:crypto'
import { gzip } from '../../src/archive/gzip.ts'
import { decompress } from '../../src/archive/decompress.ts'
import type { TarEntry } from '../../src/archive/tar/header.ts'
import { readTar } from '../../src/archive/tar/read.ts'
import { writeTar } from '../../src/archive/tar/write.ts'
import { bytesBlob, type Blob } from '../../src/content/blob.ts'
import { finishDigest } from '../../src/oci/digest.ts'
import { layerMediaType } from '../../src/oci/media-type.ts'

/** An entry of a test's tar in few words; what is left out is 0 or usual. */
export interface Sketch {
  readonly path: string
  readonly type?: TarEntry['type']
  readonly text?: string
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  readonly link?: string
}

export function sketchedEntry({ path, type = 'file', text = '', mode, uid = 0, gid = 0, link = '' }: Sketch): TarEntry {
  const usual = { path, mode: mode ?? (type === 'directory' ? 0o755 : 0o644), uid, gid, mtime: 0, size: 0 }
  switch (type) {
    case 'file':
      return { ...usual, type, size: Buffer.byteLength(text) }
    case 'symlink':
    case 'hardlink':
      return { ...usual, type, linkPath: link }
    case 'character':
    case 'block':
      return { ...usual, type, major: 1, minor: 3 }
    case 'directory':
    case 'fifo':
      return { ...usual, type }
  }
}

export async function tarOf(sketches: readonly Sketch[]): Promise<Buffer> {
  const items = sketches.map(sketch => {
    const text = Buffer.from(sketch.text ?? '')
    return { entry: sketchedEntry(sketch), body: { open: () => once(text) } }
  })
  return collect(writeTar(items.map(item => (item.entry.type === 'file' ? item : { entry: item.entry }))))
}

/** A layer of a base, in gzip as most are. */
export async function layerBlob(sketches: readonly Sketch[]): Promise<Blob> {
  const bytes = await collect(gzip([await tarOf(sketches)]))
  const digest = finishDigest(createHash('sha256').update(bytes))
  return bytesBlob({ bytes, descriptor: { mediaType: layerMediaType('oci', 'gzip'), digest, size: bytes.byteLength } })
}

/** Entries of a layer with the text of files, in the order of the archive. */
export async function readLayer(blob: Blob): Promise<readonly (TarEntry & { readonly text?: string })[]> {
  const members: (TarEntry & { readonly text?: string })[] = []
  for await (const { entry, body } of readTar(decompress(blob.open()))) {
    const text = (await collect(body)).toString()
    members.push(entry.type === 'file' ? { ...entry, text } : entry)
  }
  return members
}

export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes)
}
