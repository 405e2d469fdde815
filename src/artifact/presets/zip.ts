import { PassThrough } from 'node:stream'
import { messageOf, OciPublishError } from '../../errors.ts'
import { openRegularFile } from '../../files/regular-file.ts'
import type { DirectoryEntry } from '../list-directory.ts'

/** DOS has no earlier time, and its times are local: made of local parts, it is the same everywhere. */
const EPOCH: Date = new Date(1980, 0, 1)

/**
 * The files of a directory as a zip. They are stored, not deflated: what zlib makes of them differs from one version of
 * Node to another, and the digest must not.
 *
 * @throws {OciPublishError} FILE_CHANGED
 */
export async function* writeZip(entries: readonly DirectoryEntry[]): AsyncGenerator<Uint8Array> {
  const { default: yazl } = await import('yazl')
  const zip = new yazl.ZipFile()
  const output = zip.outputStream.pipe(new PassThrough())
  zip.on('error', (error: Error) => output.destroy(error))
  for (const entry of entries) {
    if (entry.type !== 'file') continue
    const { path, absolutePath, found, size, isExecutable } = entry
    const mode = isExecutable ? 0o100755 : 0o100644
    const options = { mtime: EPOCH, mode, size, compress: false, forceDosTimestamp: true }
    zip.addReadStreamLazy(path, options, give => {
      openRegularFile(absolutePath, found).then(
        file => {
          give(null, file.createReadStream())
        },
        (error: unknown) => {
          zip.emit('error', error) // yazl waits for ever for a stream that does not come
        },
      )
    })
  }
  zip.end()
  try {
    for await (const chunk of output) yield chunk as Uint8Array
  } catch (error) {
    throw new OciPublishError('FILE_CHANGED', `the files cannot be packed: ${messageOf(error)}`, {
      cause: error,
      hint: 'let nothing write to the files while they are packed, then run it again',
    })
  }
}
