import { createHash } from 'node:crypto'
import { link, mkdir, open, symlink } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { compressionOf, decompress } from '../archive/decompress.ts'
import type { TarEntry } from '../archive/tar/header.ts'
import { readTar } from '../archive/tar/read.ts'
import type { Abortable } from '../async/abortable.ts'
import { IntegrityError, OciPublishError, messageOf } from '../errors.ts'
import { algorithmOf, hexOf, type Digest } from '../oci/digest.ts'
import { cleanName, type TakenNames } from './file-name.ts'
import { pullBudget, type PullBudget } from './pull-limits.ts'

export interface UnpackOptions extends Abortable {
  /** Names the archive in errors: `layer sha256:…`. */
  readonly from: string
  /** An empty folder that nobody else writes to. */
  readonly into: string
  /** Folder of the archive that everything has to be in. */
  readonly name: string
  /** Of the tar, before it was compressed. */
  readonly contentDigest: Digest | undefined
  readonly names: TakenNames
  /** Shared with everything else that the artifact has. */
  readonly budget?: PullBudget | undefined
}

/** What was unpacked, by its name below the folder that it was unpacked into. */
export interface Unpacked {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'link'
}

/**
 * Unpacks a directory of an artifact, tar and gzip, where nothing of it can be outside of its folder: neither a name nor
 * a link may lead there, and nothing goes through a link. Owners, times and setuid bits are dropped.
 *
 * @returns folders before what is in them
 * @throws {OciPublishError} INVALID_ARCHIVE, with the entry that is wrong; TOO_LARGE
 * @throws {IntegrityError} where the content is not what the artifact says
 */
export async function unpackDirectory(
  source: AsyncIterable<Uint8Array>,
  { from, into, name: folder, contentDigest, names, budget = pullBudget(), signal }: UnpackOptions,
): Promise<readonly Unpacked[]> {
  const hash = createHash(contentDigest ? algorithmOf(contentDigest) : 'sha256')
  async function* tar(): AsyncGenerator<Uint8Array> {
    for await (const chunk of decompress(onlyGzip(source, from), { from, signal })) {
      hash.update(chunk)
      yield chunk
    }
  }
  const unpacked = new Map<string, Unpacked>()
  const isFolder = (name: string): boolean => name === '.' || unpacked.get(name)?.kind === 'folder'
  for await (const { entry, body } of readTar(tar(), { from, signal })) {
    signal?.throwIfAborted()
    budget.files.spend(1, from)
    budget.bytes.spend(entry.size, from) // before any of it is written
    try {
      const name = nameIn(folder, entry)
      const path = join(into, ...name.split('/'))
      if (!isFolder(posix.dirname(name))) throw new Error('there is no entry of its folder before it')
      if (entry.type === 'directory') {
        names.take(name, 'folder')
        if (!unpacked.has(name)) await mkdir(path)
        unpacked.set(name, { name, kind: 'folder' })
        continue
      }
      names.take(name, 'file')
      switch (entry.type) {
        case 'file':
          await writeFile(path, body, entry.mode & 0o777)
          break
        case 'symlink':
          checkLink(entry.linkPath, name, folder)
          await symlink(entry.linkPath, path)
          break
        case 'hardlink': {
          const target = cleanName(entry.linkPath)
          if (unpacked.get(target)?.kind !== 'file') throw new Error(`it is a link to ${target}, no file before it`)
          await link(join(into, ...target.split('/')), path)
          break
        }
        case 'character':
        case 'block':
        case 'fifo':
          throw new Error(`it is a special file (${entry.type})`)
      }
      unpacked.set(name, { name, kind: entry.type === 'symlink' ? 'link' : 'file' })
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof OciPublishError) throw error
      const what = `${from}: ${JSON.stringify(entry.path)} was not unpacked: ${messageOf(error)}`
      throw new OciPublishError('INVALID_ARCHIVE', what, { cause: error })
    }
  }
  const hex = hash.digest('hex')
  if (contentDigest && hex !== hexOf(contentDigest)) {
    throw new IntegrityError(`${from}, unpacked`, contentDigest, `${algorithmOf(contentDigest)}:${hex}`)
  }
  return [...unpacked.values()]
}

/** Others write nothing else, and read nothing else: what only we could unpack should not go unnoticed. */
async function* onlyGzip(source: AsyncIterable<Uint8Array>, from: string): AsyncGenerator<Uint8Array> {
  let head: Uint8Array = new Uint8Array()
  let isChecked = false
  for await (const chunk of source) {
    if (isChecked) {
      yield chunk
      continue
    }
    head = Buffer.concat([head, chunk])
    if (head.byteLength < 2) continue
    if (compressionOf(head) !== 'gzip') break
    isChecked = true
    yield head
  }
  if (isChecked) return
  throw new OciPublishError('INVALID_ARCHIVE', `${from} is to be unpacked, but is not compressed with gzip`)
}

/** @throws {Error} in words */
function nameIn(folder: string, { path, type }: TarEntry): string {
  const name = cleanName(path)
  if (name.startsWith(`${folder}/`)) return name
  // Folders above may be told, too.
  if (type === 'directory' && (name === folder || folder.startsWith(`${name}/`))) return name
  throw new Error(`it is outside of "${folder}"`)
}

/**
 * A link may climb as far as the folder. It does so first: `..` behind a name is not where it seems when that is a link
 * as well.
 *
 * @throws {Error} in words
 */
function checkLink(linkPath: string, at: string, folder: string): void {
  const said = `it points at ${JSON.stringify(linkPath)}`
  if (linkPath.startsWith('/') || linkPath.includes('\\') || /^[A-Za-z]:/.test(linkPath) || linkPath === '') {
    throw new Error(`${said}, outside of "${folder}"`)
  }
  const parts = linkPath.split('/').filter(part => part !== '' && part !== '.')
  const down = parts.findIndex(part => part !== '..')
  const climbs = down < 0 ? parts.length : down
  const depth = at.split('/').length - 1 - folder.split('/').length
  if (climbs > depth) throw new Error(`${said}, outside of "${folder}"`)
  if (parts.slice(climbs).includes('..')) throw new Error(`${said}, and nobody can tell where that is`)
}

async function writeFile(path: string, body: AsyncIterable<Uint8Array>, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode)
  try {
    for await (const chunk of body) await handle.writeFile(chunk)
  } finally {
    await handle.close()
  }
}
