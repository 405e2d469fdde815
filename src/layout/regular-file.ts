import { constants } from 'node:fs'
import { lstat, open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Abortable } from '../async/abortable.ts'
import { OciPublishError } from '../errors.ts'
import { systemCode } from './system-code.ts'

export interface OpenOptions {
  /** For the error: `oci:out`. */
  readonly place: string
  /** Follows a symbolic link: for what the user named, never for what a layout holds. */
  readonly follow?: boolean | undefined
}

/** Windows has neither. */
const { O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants as Partial<typeof constants>

/**
 * Opens a file to read, and nothing that only looks like one: a named pipe would wait for whoever writes it, a device has no
 * end, a link leads out of the layout.
 *
 * @throws {OciPublishError} NOT_A_FILE; what the system says of a file that is not there comes as it is
 */
export async function openRegular(path: string, { place, follow = false }: OpenOptions): Promise<FileHandle> {
  if (!follow && O_NOFOLLOW === 0 && (await lstat(path)).isSymbolicLink()) throw linkAt(place, path)
  const file = await open(path, constants.O_RDONLY | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW)).catch((error: unknown) => {
    if (!follow && systemCode(error) === 'ELOOP') throw linkAt(place, path, error)
    // A socket cannot be opened at all.
    throw systemCode(error) === 'ENXIO' ? notAFile(place, path, error) : error
  })
  try {
    if (!(await file.stat()).isFile()) throw notAFile(place, path)
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

/**
 * Sees to it that the folders on the way to a file of a layout are folders of the layout. Those that are not there yet are.
 *
 * @param name of the file in the layout, with `/`
 * @throws {OciPublishError} NOT_A_FILE
 */
export async function checkFolders(root: string, name: string, place: string): Promise<void> {
  const folders = name.split('/').slice(0, -1)
  for (const [i] of folders.entries()) {
    const path = join(root, ...folders.slice(0, i + 1))
    try {
      if ((await lstat(path)).isSymbolicLink()) throw linkAt(place, path)
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return
      throw error
    }
  }
}

/** Large chunks: with the default of 64 KiB an upload costs a third more. */
const CHUNK_BYTES = 1 << 20

/** A part of a regular file, to the end that it has when it is opened unless `bytes` are given. */
export async function* readRange(
  path: string,
  {
    start,
    bytes = Infinity,
    signal,
    ...options
  }: Abortable & OpenOptions & { readonly start: number; readonly bytes?: number },
): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted()
  if (bytes <= 0) return
  const file = await openRegular(path, options)
  const { size } = await file.stat()
  const end = Math.min(start + bytes, size)
  if (end <= start) {
    await file.close()
    return
  }
  // Closes the file when it is done, or when nobody reads on.
  const stream = file.createReadStream({ start, end: end - 1, highWaterMark: CHUNK_BYTES })
  for await (const chunk of stream) {
    signal?.throwIfAborted()
    yield chunk as Uint8Array
  }
}

function notAFile(place: string, path: string, cause?: unknown): OciPublishError {
  return new OciPublishError('NOT_A_FILE', `${place}: ${path} is not a regular file`, { cause })
}

function linkAt(place: string, path: string, cause?: unknown): OciPublishError {
  return new OciPublishError(
    'NOT_A_FILE',
    `${place}: ${path} is a symbolic link, and links of a layout are not followed`,
    {
      cause,
      hint: 'copy the layout with its links resolved: cp -rL',
    },
  )
}
