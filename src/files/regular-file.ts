import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { messageOf, OciPublishError } from '../errors.ts'

/** What tells a file from every other, as the system described it when it was found. */
export interface FileIdentity {
  readonly dev: number
  readonly ino: number
}

/**
 * Follows no symlink, and waits for nobody: opening a pipe without this waits for its writer. Windows has neither; there
 * the comparison with what was found is all.
 */
const READ = constants.O_RDONLY | withDefault(constants.O_NOFOLLOW) | withDefault(constants.O_NONBLOCK)

/**
 * Opens a regular file, and no other, by its real path.
 *
 * @param found what was there when it was looked at; without it any regular file will do
 * @throws {OciPublishError} FILE_CHANGED when something else is there than was found; FILE_UNREADABLE
 */
export async function openRegularFile(path: string, found?: FileIdentity): Promise<FileHandle> {
  const handle = await open(path, READ).catch((error: unknown) => fail(path, found, error))
  try {
    compare(path, await handle.stat(), found)
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** The same, synchronously: for many small files that is several times faster. */
export function openRegularFileSync(path: string, found?: FileIdentity): number {
  const fd = openedSync(path, found)
  try {
    compare(path, fstatSync(fd), found)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/**
 * The content of a regular file.
 *
 * @throws {OciPublishError} TOO_LARGE beyond `maxBytes`; FILE_CHANGED, FILE_UNREADABLE
 */
export async function readRegularFile(path: string, maxBytes: number, found?: FileIdentity): Promise<Buffer> {
  const handle = await openRegularFile(path, found)
  try {
    const { size } = await handle.stat()
    if (size > maxBytes) throw new OciPublishError('TOO_LARGE', `${path} has ${size} bytes, more than ${maxBytes}`)
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

function openedSync(path: string, found: FileIdentity | undefined): number {
  try {
    return openSync(path, READ)
  } catch (error) {
    return fail(path, found, error)
  }
}

function fail(path: string, found: FileIdentity | undefined, error: unknown): never {
  const code = (error as NodeJS.ErrnoException).code
  // ENXIO: a socket. Some systems have other codes for a symlink, which Linux and macOS call a loop.
  if (code === 'ELOOP' || code === 'EMLINK' || code === 'EFTYPE') throw refused(path, found, 'it is a symlink', error)
  throw new OciPublishError('FILE_UNREADABLE', `${path} cannot be read: ${messageOf(error)}`, { cause: error })
}

function compare(path: string, opened: Stats, found: FileIdentity | undefined): void {
  if (!opened.isFile()) throw refused(path, found, 'it is not a regular file')
  if (!found) return
  const { dev, ino } = found
  // Windows gives one volume different numbers, depending on how it is asked.
  if (opened.ino !== ino || (opened.dev !== dev && process.platform !== 'win32')) {
    throw refused(path, found, 'another file is there than was found')
  }
}

function refused(path: string, found: FileIdentity | undefined, why: string, cause?: unknown): OciPublishError {
  if (!found) return new OciPublishError('FILE_UNREADABLE', `${path} cannot be read: ${why}`, { cause })
  const hint = 'let nothing write to the files while they are read, then run it again'
  return new OciPublishError('FILE_CHANGED', `${path} was replaced before it was read: ${why}`, { cause, hint })
}

function withDefault(flag: number | undefined): number {
  return flag ?? 0
}
