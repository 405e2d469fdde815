import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'
import { createReadStream } from 'node:fs'
import { lstat, mkdir, readlink, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Abortable } from '../async/abortable.ts'
import { OciPublishError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import { algorithmOf, hexOf } from '../oci/digest.ts'
import type { Unpacked } from './unpack.ts'

/** What there is where something is to be written: nothing, the same, something else, or what cannot be replaced. */
export type Place = 'free' | 'same' | 'other' | 'blocked'

/** The path of a name below a folder. */
export function pathOf(root: string, name: string): string {
  return join(root, ...name.split('/'))
}

/** What is at a path, links not followed. */
export async function statusOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/**
 * Sees to it that the way to a name goes through folders only.
 *
 * @throws {OciPublishError} LINK_IN_THE_WAY, FILE_IN_THE_WAY
 */
async function checkWay(root: string, name: string): Promise<void> {
  const parts = name.split('/')
  for (let count = 1; count < parts.length; count++) {
    const path = join(root, ...parts.slice(0, count))
    const status = await statusOf(path)
    if (!status) return
    if (status.isSymbolicLink()) {
      throw new OciPublishError('LINK_IN_THE_WAY', `${path} is a link, and ${name} would be written through it`, {
        hint: 'remove the link, or pull into another folder',
      })
    }
    if (!status.isDirectory()) {
      throw new OciPublishError('FILE_IN_THE_WAY', `${path} is not a folder, and ${name} would be in it`)
    }
  }
}

/** What there is where a file is to be. */
export async function placeOfFile(
  root: string,
  name: string,
  { digest, size }: { readonly digest: Digest; readonly size: number },
  { signal }: Abortable,
): Promise<Place> {
  await checkWay(root, name)
  const path = pathOf(root, name)
  const status = await statusOf(path)
  if (!status) return 'free'
  if (status.isDirectory()) return 'blocked'
  if (!status.isFile() || status.size !== size) return 'other'
  return (await hashOf(path, algorithmOf(digest), { signal })) === hexOf(digest) ? 'same' : 'other'
}

/** What there is where something that was unpacked is to be. */
export async function placeOfUnpacked(
  root: string,
  { name, kind }: Unpacked,
  from: string,
  { signal }: Abortable,
): Promise<Place> {
  await checkWay(root, name)
  const [path, source] = [pathOf(root, name), pathOf(from, name)]
  const [status, wanted] = [await statusOf(path), await lstat(source)]
  if (!status) return 'free'
  if (kind === 'folder') return status.isDirectory() ? 'same' : 'blocked'
  if (status.isDirectory()) return 'blocked'
  if (kind === 'link')
    return status.isSymbolicLink() && (await readlink(path)) === (await readlink(source)) ? 'same' : 'other'
  if (!status.isFile() || status.size !== wanted.size) return 'other'
  return (await hashOf(path, 'sha256', { signal })) === (await hashOf(source, 'sha256', { signal })) ? 'same' : 'other'
}

async function hashOf(path: string, algorithm: string, { signal }: Abortable): Promise<string> {
  const hash = createHash(algorithm)
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    signal?.throwIfAborted()
    hash.update(chunk as Uint8Array)
  }
  return hash.digest('hex')
}

/** Moves something that is whole to its name, in place of what is there; a link there is replaced, not followed. */
export async function moveTo(root: string, name: string, from: string): Promise<void> {
  await makeWay(root, name)
  await rename(from, pathOf(root, name))
}

/** Makes the folders above a name, one by one so that none is made through a link. */
export async function makeWay(root: string, name: string): Promise<void> {
  await checkWay(root, name)
  const parts = name.split('/')
  for (let count = 1; count < parts.length; count++) await makeFolder(join(root, ...parts.slice(0, count)))
}

export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await statusOf(path))?.isDirectory()) throw error
  }
}
