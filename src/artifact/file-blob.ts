import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { Abortable } from '../async/abortable.ts'
import { fileBlob, type Blob } from '../content/blob.ts'
import { messageOf, OciPublishError } from '../errors.ts'
import type { Annotations } from '../oci/descriptor.ts'
import { finishDigest } from '../oci/digest.ts'

export interface FileBlobOptions extends Abortable {
  readonly mediaType: string
  readonly annotations?: Annotations | undefined
}

/**
 * A file as it is. It is read once, to know its digest; whoever opens the blob reads it again, so it must stay as it is.
 *
 * @throws {OciPublishError} FILE_UNREADABLE
 */
export async function blobOfFile(path: string, { mediaType, annotations, signal }: FileBlobOptions): Promise<Blob> {
  const hash = createHash('sha256')
  let size = 0
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) {
      hash.update(chunk as Uint8Array)
      size += (chunk as Uint8Array).byteLength
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw new OciPublishError('FILE_UNREADABLE', `${path} cannot be read: ${messageOf(error)}`, { cause: error })
  }
  return fileBlob(path, { mediaType, digest: finishDigest(hash), size, ...(annotations && { annotations }) })
}
