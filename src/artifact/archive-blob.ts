import { createHash } from 'node:crypto'
import { gzip } from '../archive/gzip.ts'
import { writeTar, type TarItem } from '../archive/tar/write.ts'
import type { Blob } from '../content/blob.ts'
import { finishDigest, type Digest } from '../oci/digest.ts'
import type { DirectoryEntry } from './list-directory.ts'
import { temporaryBlob, type TemporaryBlobOptions } from './temporary-blob.ts'

/** An archive, and the digest of the tar before it was compressed. */
export interface ArchiveBlob {
  readonly blob: Blob
  readonly contentDigest: Digest
}

/**
 * Entries as tar and gzip. The same files make the same digest wherever, whenever and as whomever they are packed: the
 * order of the entries, no owner, no times, modes 0644 and 0755.
 *
 * @throws {OciPublishError} FILE_UNREADABLE, FILE_CHANGED
 */
export async function archiveBlob(
  entries: readonly DirectoryEntry[],
  options: TemporaryBlobOptions,
): Promise<ArchiveBlob> {
  const { signal } = options
  const plain = createHash('sha256')
  async function* tar(): AsyncGenerator<Uint8Array> {
    for await (const chunk of writeTar(entries.map(itemOf), { signal })) {
      plain.update(chunk)
      yield chunk
    }
  }
  const blob = await temporaryBlob(gzip(tar(), { signal }), options)
  return { blob, contentDigest: finishDigest(plain) }
}

/** The same entries in a folder, which comes first, because readers make folders when they meet them. */
export function inFolder(entries: readonly DirectoryEntry[], folder: string): readonly DirectoryEntry[] {
  const parts = folder.split('/')
  const parents = parts.map((_part, i): DirectoryEntry => {
    return { type: 'directory', path: parts.slice(0, i + 1).join('/'), absolutePath: '' }
  })
  return [...parents, ...entries.map(entry => ({ ...entry, path: `${folder}/${entry.path}` }))]
}

const nobody = { uid: 0, gid: 0, mtime: 0 } as const

function itemOf(entry: DirectoryEntry): TarItem {
  const { path } = entry
  switch (entry.type) {
    case 'directory':
      return { entry: { ...nobody, type: 'directory', path, mode: 0o755, size: 0 } }
    case 'symlink':
      return { entry: { ...nobody, type: 'symlink', path, mode: 0o777, size: 0, linkPath: entry.linkPath } }
    case 'file': {
      const { size, isExecutable, absolutePath, found } = entry
      const mode = isExecutable ? 0o755 : 0o644
      return { entry: { ...nobody, type: 'file', path, mode, size }, body: { path: absolutePath, found } }
    }
  }
}
