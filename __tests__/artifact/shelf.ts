import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { composeArtifact, TITLE, type ArtifactParts } from '../../src/artifact/artifact.ts'
import { CONTENT_DIGEST, UNPACK } from '../../src/artifact/file-layers.ts'
import { pushArtifact } from '../../src/artifact/push-artifact.ts'
import { writeTar, type TarItem } from '../../src/archive/tar/write.ts'
import type { TarEntry } from '../../src/archive/tar/header.ts'
import { bytesBlob, type Blob } from '../../src/content/blob.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import { readAll } from '../../src/content/verify.ts'
import type { Annotations, Descriptor } from '../../src/oci/descriptor.ts'
import { digestOf } from '../../src/oci/digest.ts'

/** A layer of some text or bytes. */
export function layerOf(content: string | Uint8Array, title?: string, more: Partial<Descriptor> = {}): Blob {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  const annotations = { ...(title !== undefined && { [TITLE]: title }), ...more.annotations }
  const descriptor = { mediaType: 'text/plain', ...more, digest: digestOf(bytes), size: bytes.byteLength, annotations }
  return bytesBlob({ bytes, descriptor })
}

/** An entry of a tar, in short. */
export type Entry = Partial<TarEntry> & { readonly path: string; readonly text?: string }

export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const items = entries.map(({ text = '', ...entry }): TarItem => {
    const type = entry.type ?? (entry.path.endsWith('/') ? 'directory' : 'file')
    const size = type === 'file' ? Buffer.byteLength(text) : 0
    const path = entry.path.replace(/(.)\/$/, '$1').replace(/^\//, '_')
    const whole = { mode: 0o644, uid: 0, gid: 0, mtime: 0, ...entry, path, type, size } as TarEntry
    async function* open(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.from(text))
    }
    return type === 'file' ? { entry: whole, body: { open } } : { entry: whole }
  })
  const tar = Buffer.from(await readAll(writeTar(items), { maxBytes: 1 << 24, what: 'tar' }))
  for (const { path } of entries) if (path.startsWith('/')) makeAbsolute(tar, path)
  return tar
}

/** No writer of ours writes such a name, so it is put into the header afterwards. */
function makeAbsolute(tar: Buffer, path: string): void {
  const at = tar.indexOf(`_${path.slice(1)}`)
  tar.write(path, at)
  const header = tar.subarray(at, at + 512)
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
}

/** A layer that is unpacked into a folder. */
export async function folderOf(title: string, entries: readonly Entry[], annotations: Annotations = {}): Promise<Blob> {
  const tar = await tarOf(entries)
  const contentDigest = `sha256:${createHash('sha256').update(tar).digest('hex')}`
  const about = { [CONTENT_DIGEST]: contentDigest, [UNPACK]: 'true', ...annotations }
  return layerOf(gzipSync(tar), title, { annotations: about })
}

/** A place with one artifact, tagged v1. */
export async function shelfOf(layers: readonly Blob[], more: Partial<ArtifactParts> = {}): Promise<MemoryStore> {
  const store = new MemoryStore('r.example/app')
  await pushArtifact(store, composeArtifact({ layers, ...more }), { tags: ['v1'] })
  return store
}
