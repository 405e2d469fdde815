import { createHash } from 'node:crypto'
import type { Abortable } from '../async/abortable.ts'
import { fileBlob, type Blob } from '../content/blob.ts'
import { messageOf, OciPublishError } from '../errors.ts'
import { openRegularFile, type FileIdentity } from '../files/regular-file.ts'
import type { Annotations } from '../oci/descriptor.ts'
import { finishDigest } from '../oci/digest.ts'

export interface FileBlobOptions extends Abortable {
  readonly mediaType: string
  readonly annotations?: Annotations | undefined
}

/** A file that was looked at. */
interface FileOnDisk {
  /** Its real path. */
  readonly absolutePath: string
  readonly found: FileIdentity
}

/**
 * A file as it is. It is read once, to know its digest; whoever opens the blob reads it again, so it must stay as it is.
 *
 * @throws {OciPublishError} FILE_UNREADABLE, FILE_CHANGED
 */
export async function blobOfFile(
  { absolutePath: path, found }: FileOnDisk,
  { mediaType, annotations, signal }: FileBlobOptions,
): Promise<Blob> {
  const hash = createHash('sha256')
  let size = 0
  const file = await openRegularFile(path, found)
  try {
    for await (const chunk of file.createReadStream({ highWaterMark: 1 << 20, signal })) {
      hash.update(chunk as Uint8Array)
      size += (chunk as Uint8Array).byteLength
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw new OciPublishError('FILE_UNREADABLE', `${path} cannot be read: ${messageOf(error)}`, { cause: error })
  }
  const descriptor = { mediaType, digest: finishDigest(hash), size, ...(annotations && { annotations }) }
  return fileBlob(path, descriptor, found)
}
