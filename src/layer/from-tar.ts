import { decompress } from '../archive/decompress.ts'
import type { TarEntry } from '../archive/tar/header.ts'
import { cleanPath } from '../archive/tar/path.ts'
import { readTar } from '../archive/tar/read.ts'
import type { Abortable } from '../async/abortable.ts'
import { messageOf, OciPublishError } from '../errors.ts'
import { openRegularFile, type FileIdentity } from '../files/regular-file.ts'
import { whiteoutOf } from './whiteout.ts'

/**
 * The bytes of a ready tar (plain, gzip or zstd), decompressed and otherwise as they are. Its entries are checked on the
 * way: they stay within the root, and names that begin with `.wh.` delete something, as in any layer.
 *
 * @param found what was there when it was looked at
 * @throws {OciPublishError} INVALID_ARCHIVE at the latest with the last chunk; FILE_UNREADABLE, FILE_CHANGED
 */
export async function* openReadyTar(
  file: string,
  found: FileIdentity,
  { signal }: Abortable = {},
): AsyncGenerator<Uint8Array> {
  const from = file
  const feed = new Feed()
  const checked = checkEntries(feed, { from, signal })
  checked.catch(() => undefined) // `pass` and the last line tell
  for await (const chunk of decompress(fileChunks(file, found), { from, signal })) {
    await Promise.race([feed.pass(chunk), checked])
    yield chunk
  }
  await Promise.race([feed.pass(undefined), checked])
  await checked
}

/** The file as it is. */
export async function* fileChunks(file: string, found: FileIdentity): AsyncGenerator<Uint8Array> {
  const handle = await openRegularFile(file, found)
  try {
    // Closes the file at its end, or when nobody wants more.
    for await (const chunk of handle.createReadStream({ highWaterMark: 1 << 20 })) yield chunk as Uint8Array
  } catch (error) {
    throw new OciPublishError('FILE_UNREADABLE', `cannot read ${file} (${messageOf(error)})`, { cause: error })
  }
}

async function checkEntries(feed: Feed, options: Abortable & { readonly from: string }): Promise<void> {
  for await (const { entry } of readTar(feed, options)) checkEntry(entry, options.from)
}

function checkEntry(entry: TarEntry, from: string): void {
  const { path, type, size } = entry
  const where = `${from}, ${JSON.stringify(path)}`
  const deletion = whiteoutOf(inside(path, where))
  if (type === 'hardlink') inside(entry.linkPath, where)
  if (deletion === undefined) return
  if (deletion.kind === 'invalid' || type !== 'file' || size > 0) {
    throw new OciPublishError('INVALID_ARCHIVE', `${where}: begins with ".wh." but is no deletion (a whiteout)`)
  }
}

function inside(path: string, where: string): string {
  try {
    return cleanPath(path)
  } catch (error) {
    throw new OciPublishError('INVALID_ARCHIVE', `${where}: ${messageOf(error)}`, { cause: error })
  }
}

/** Hands chunks to a reader that runs beside the writer, one at a time, so that none pile up. */
class Feed implements AsyncIterable<Uint8Array> {
  #answer: ((result: IteratorResult<Uint8Array, undefined>) => void) | undefined
  #onAsked: (() => void) | undefined

  /** Waits until the reader asks, and gives it a chunk, or undefined for the end. */
  async pass(chunk: Uint8Array | undefined): Promise<void> {
    if (!this.#answer) await new Promise<void>(resolve => (this.#onAsked = resolve))
    const answer = this.#answer
    this.#answer = undefined
    answer?.(chunk ? { done: false, value: chunk } : { done: true, value: undefined })
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: () =>
        new Promise(resolve => {
          this.#answer = resolve
          this.#onAsked?.()
        }),
    }
  }
}
