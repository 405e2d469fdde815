import { createHash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, posix, win32 } from 'node:path'
import { Once } from '../async/once.ts'
import type { Cache } from '../content/cache.ts'
import { FRAME_BYTES, frame, unframe } from './frame.ts'

export interface DirectoryCacheOptions {
  /** Values of more bytes are not kept. */
  readonly maxValueBytes?: number | undefined
  /** All files together; beyond it, what was not read for the longest time goes. */
  readonly maxBytes?: number | undefined
  /** Number of the user whose folder it has to be. Default: whose process this is; Windows has none. */
  readonly user?: number | undefined
}

/**
 * A cache in a folder, a file a value. Several processes may use it at a time: files appear whole, and one that is not as
 * it was written is dropped by whoever finds it. Whoever can write the folder can put anything in it, so one that belongs
 * to another user is not used, links in it are not followed, and nothing is read that could not have been written.
 */
export function directoryCache(
  path: string,
  { maxValueBytes = 8 << 20, maxBytes = 512 << 20, user = process.getuid?.() }: DirectoryCacheOptions = {},
): Cache {
  const size = new Once<'measure', { bytes: number }>()
  const folder = new Once<'look', boolean>()
  const isOurs = (): Promise<boolean> => folder.run('look', () => isFolderOf(user, path))

  async function keep(key: string, bytes: Uint8Array): Promise<void> {
    await mkdir(path, { recursive: true, mode: 0o700 })
    if (!(await isFolderOf(user, path))) return
    const total = await size.run('measure', async () => ({ bytes: sumOf(await listFiles(path)) }))
    const framed = frame(bytes)
    const temp = join(path, `${randomUUID()}${TEMP}`)
    try {
      await writeFile(temp, framed, { flag: 'wx' })
      await rename(temp, fileOf(path, key))
    } catch (error) {
      await rm(temp, { force: true })
      throw error
    }
    total.bytes += framed.byteLength
    if (total.bytes > maxBytes) total.bytes = await prune(path, maxBytes)
  }

  return {
    async read(key, { signal } = {}) {
      signal?.throwIfAborted()
      const file = fileOf(path, key)
      try {
        if (!(await isOurs())) return undefined
        const bytes = await readValue(file, maxValueBytes)
        if (!bytes) await rm(file, { force: true })
        return bytes
      } catch {
        return undefined
      }
    },

    async write(key, bytes, { signal } = {}) {
      signal?.throwIfAborted()
      if (bytes.byteLength > maxValueBytes) return
      await keep(key, bytes).catch(() => undefined)
    },
  }
}

/** Whether a folder belongs to a user. Of a link the link counts: who made it chose the folder. */
async function isFolderOf(user: number | undefined, path: string): Promise<boolean> {
  return user === undefined || (await lstat(path)).uid === user
}

/** Windows has no such flag; links take a privilege there. */
const NO_FOLLOW: number = (constants as { readonly O_NOFOLLOW?: number }).O_NOFOLLOW ?? 0
const NO_WAIT: number = (constants as { readonly O_NONBLOCK?: number }).O_NONBLOCK ?? 0

/** @returns undefined for what is no value, or is not whole */
async function readValue(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const file = await open(path, constants.O_RDONLY | NO_FOLLOW | NO_WAIT).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') return undefined
    throw error
  })
  if (!file) return undefined
  try {
    const found = await file.stat()
    if (!found.isFile() || found.size > maxBytes + FRAME_BYTES) return undefined
    const bytes = unframe(await file.readFile())
    const now = new Date()
    if (bytes) await file.utimes(now, now).catch(() => undefined)
    return bytes
  } finally {
    await file.close()
  }
}

const TEMP = '.tmp'

/** A key may be long and hold anything. */
function fileOf(path: string, key: string): string {
  return join(path, createHash('sha256').update(key).digest('hex'))
}

interface CachedFile {
  readonly path: string
  readonly name: string
  readonly bytes: number
  readonly usedMs: number
}

async function listFiles(path: string): Promise<readonly CachedFile[]> {
  const files: CachedFile[] = []
  for (const name of await readdir(path)) {
    const file = join(path, name)
    const found = await lstat(file).catch(() => undefined) // somebody else may prune too
    if (found?.isFile()) files.push({ path: file, name, bytes: found.size, usedMs: found.mtimeMs })
  }
  return files
}

function sumOf(files: readonly CachedFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0)
}

const HOUR_MS = 3_600_000

/** Makes room for a while: down to three quarters, so that not every write has to. Returns the bytes that are left. */
async function prune(path: string, maxBytes: number): Promise<number> {
  const files = [...(await listFiles(path))].sort((a, b) => a.usedMs - b.usedMs)
  let left = sumOf(files)
  for (const { path: file, name, bytes, usedMs } of files) {
    const isForgotten = name.endsWith(TEMP) && usedMs < Date.now() - HOUR_MS
    if (left <= maxBytes * 0.75 && !isForgotten) continue
    await rm(file, { force: true })
    left -= bytes
  }
  return left
}

/**
 * Where users of a system expect caches: XDG's directory, macOS's Library, Windows' local application data. Repositories
 * whose jobs share a machine and its user have a folder each, so that none reads by accident what another has left.
 */
export function defaultCacheDirectory(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const { GITHUB_REPOSITORY: repository = '', GITHUB_SERVER_URL: server = '' } = env
  const shared = sharedDirectory(env, platform)
  if (repository === '') return shared
  // Names of repositories differ in upper and lower case only for those who read them.
  const name = `${server}/${repository}`.toLowerCase()
  const folder = createHash('sha256').update(name).digest('hex').slice(0, 16)
  return platform === 'win32' ? win32.join(shared, folder) : posix.join(shared, folder)
}

function sharedDirectory(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (platform === 'win32') {
    const home = env['USERPROFILE'] ?? homedir()
    return win32.join(env['LOCALAPPDATA'] ?? win32.join(home, 'AppData', 'Local'), NAME)
  }
  const xdg = env['XDG_CACHE_HOME'] ?? ''
  if (posix.isAbsolute(xdg)) return posix.join(xdg, NAME) // XDG Base Directory: a relative one is to be ignored
  const home = env['HOME'] ?? homedir()
  return platform === 'darwin' ? posix.join(home, 'Library', 'Caches', NAME) : posix.join(home, '.cache', NAME)
}

const NAME = 'oci-publish'
