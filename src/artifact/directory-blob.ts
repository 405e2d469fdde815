import { createHash, randomUUID } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { lstat, open, readdir, readlink, rm, type FileHandle } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { gzip } from '../archive/gzip.ts'
import { writeTar, type TarItem } from '../archive/tar/write.ts'
import type { Abortable } from '../async/abortable.ts'
import { fileBlob, type Blob } from '../content/blob.ts'
import { OciPublishError } from '../errors.ts'
import { finishDigest, type Digest } from '../oci/digest.ts'

export interface DirectoryBlobOptions extends Abortable {
  readonly mediaType: string
  /** Folder that everything is in, `/`-separated; '' puts what the directory holds at the root. */
  readonly prefix: string
  /** Where the archive is written. It is needed for as long as its blob is; the caller removes it. */
  readonly tempDir: string
  /** Links are passed over, as some readers want it; otherwise those that leave the directory are refused. */
  readonly withoutLinks?: boolean | undefined
}

/** An archive, and the digest of the tar before it was compressed. */
export interface DirectoryBlob {
  readonly blob: Blob
  readonly contentDigest: Digest
}

/**
 * A directory as tar and gzip. The same files make the same digest wherever, whenever and as whomever they are packed:
 * names in order, parents before what is in them, no owner, no times, modes 0644 and 0755.
 *
 * @throws {OciPublishError} LINK_OUTSIDE, SPECIAL_FILE, FILE_UNREADABLE, FILE_CHANGED
 */
export async function blobOfDirectory(path: string, options: DirectoryBlobOptions): Promise<DirectoryBlob> {
  const { mediaType, tempDir, signal } = options
  const items = await itemsOf(path, options)
  const file = join(tempDir, `directory-${randomUUID()}`)
  const [plain, stored] = [createHash('sha256'), createHash('sha256')]
  async function* tar(): AsyncGenerator<Uint8Array> {
    for await (const chunk of writeTar(items, { signal })) {
      plain.update(chunk)
      yield chunk
    }
  }
  let size = 0
  let handle: FileHandle | undefined
  try {
    handle = await open(file, 'wx', 0o600)
    for await (const chunk of gzip(tar(), { signal })) {
      stored.update(chunk)
      size += chunk.byteLength
      await handle.writeFile(chunk)
    }
    await handle.close()
  } catch (error) {
    await handle?.close().catch(() => undefined) // the first failure is the one to tell
    await rm(file, { force: true })
    throw error
  }
  const blob = fileBlob(file, { mediaType, digest: finishDigest(stored), size })
  return { blob, contentDigest: finishDigest(plain) }
}

const nobody = { uid: 0, gid: 0, mtime: 0 } as const

async function itemsOf(root: string, options: DirectoryBlobOptions): Promise<readonly TarItem[]> {
  const { prefix, withoutLinks = false, signal } = options
  const items: TarItem[] = []
  const addFolder = (path: string): void => {
    items.push({ entry: { ...nobody, type: 'directory', path, mode: 0o755, size: 0 } })
  }
  const walk = async (folder: string, path: string): Promise<void> => {
    signal?.throwIfAborted()
    for (const child of await sortedEntries(folder)) {
      const from = join(folder, child.name)
      const to = path === '' ? child.name : `${path}/${child.name}`
      if (child.isDirectory()) {
        addFolder(to)
        await walk(from, to)
      } else if (child.isFile()) {
        const { mode, size } = await lstat(from)
        const entry = { ...nobody, type: 'file', path: to, mode: mode & 0o111 ? 0o755 : 0o644, size } as const
        items.push({ entry, body: { path: from } })
      } else if (!child.isSymbolicLink()) {
        throw new OciPublishError('SPECIAL_FILE', `${from} is neither a file, a folder nor a link`)
      } else if (!withoutLinks) {
        const linkPath = await readlink(from)
        if (leaves(linkPath, to, prefix)) {
          throw new OciPublishError('LINK_OUTSIDE', `${from} points at ${linkPath}, which is not in ${root}`, {
            hint: 'who pulls the artifact would have a link to nowhere; replace it by the file',
          })
        }
        items.push({ entry: { ...nobody, type: 'symlink', path: to, mode: 0o777, size: 0, linkPath } })
      }
    }
  }
  if (prefix !== '') {
    const parts = prefix.split('/')
    for (let count = 1; count <= parts.length; count++) addFolder(parts.slice(0, count).join('/'))
  }
  await walk(root, prefix)
  return items
}

async function sortedEntries(folder: string): Promise<readonly Dirent[]> {
  const children = await readdir(folder, { withFileTypes: true })
  return children.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Whether a link, followed from where it is, ends outside of the folder that is packed. */
function leaves(linkPath: string, at: string, prefix: string): boolean {
  if (posix.isAbsolute(linkPath) || /^[A-Za-z]:/.test(linkPath)) return true
  const end = posix.join(posix.dirname(at), linkPath.replaceAll('\\', '/'))
  return prefix === '' ? end === '..' || end.startsWith('../') : end !== prefix && !end.startsWith(`${prefix}/`)
}
