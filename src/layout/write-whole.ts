import { randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { PushOptions } from '../content/ports.ts'
import { OciPublishError, messageOf } from '../errors.ts'

interface WriteOptions extends Pick<PushOptions, 'onBytes' | 'signal'> {
  /** On the file system of the file; by default the folder that it is in. */
  readonly tempDir?: string | undefined
}

/**
 * Writes a file that appears whole, in place of what was there, or not at all.
 *
 * @throws {OciPublishError} FILE_NOT_WRITTEN; what the source throws comes as it is
 */
export async function writeWhole(
  file: string,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { tempDir = dirname(file), onBytes, signal }: WriteOptions = {},
): Promise<void> {
  const temp = join(tempDir, `.${randomUUID()}.tmp`)
  const failed = (cause: unknown): never => {
    throw new OciPublishError('FILE_NOT_WRITTEN', `${file} could not be written: ${messageOf(cause)}`, { cause })
  }
  await mkdir(dirname(file), { recursive: true }).catch(failed)
  try {
    const handle = await open(temp, 'wx').catch(failed)
    try {
      for await (const chunk of source) {
        signal?.throwIfAborted()
        await handle.writeFile(chunk).catch(failed)
        onBytes?.(chunk.byteLength)
      }
    } finally {
      await handle.close()
    }
    await rename(temp, file).catch(failed)
  } catch (error) {
    await rm(temp, { force: true })
    throw error
  }
}
