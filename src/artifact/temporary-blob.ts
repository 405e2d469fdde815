import { createHash, randomUUID } from 'node:crypto'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Abortable } from '../async/abortable.ts'
import { fileBlob, type Blob } from '../content/blob.ts'
import { finishDigest } from '../oci/digest.ts'

export interface TemporaryBlobOptions extends Abortable {
  readonly mediaType: string
  /** It is needed there for as long as the blob is; the caller removes the folder. */
  readonly tempDir: string
}

/** Bytes that are made once and read often: kept in a file, because there may be many of them. */
export async function temporaryBlob(
  source: AsyncIterable<Uint8Array>,
  { mediaType, tempDir, signal }: TemporaryBlobOptions,
): Promise<Blob> {
  const path = join(tempDir, `blob-${randomUUID()}`)
  const hash = createHash('sha256')
  let size = 0
  let handle: FileHandle | undefined
  try {
    handle = await open(path, 'wx', 0o600)
    for await (const chunk of source) {
      signal?.throwIfAborted()
      hash.update(chunk)
      size += chunk.byteLength
      await handle.writeFile(chunk)
    }
    await handle.close()
  } catch (error) {
    await handle?.close().catch(() => undefined) // the first failure is the one to tell
    await rm(path, { force: true })
    throw error
  }
  return fileBlob(path, { mediaType, digest: finishDigest(hash), size })
}
