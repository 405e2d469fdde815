import { randomUUID } from 'node:crypto'
import { readSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Abortable } from '../../async/abortable.ts'
import { readAll } from '../../content/verify.ts'
import { pagedMemory, type PagedBytes } from './sqlite-table.ts'

/** Larger files wait on disk instead of in memory, and are read page by page. */
const IN_MEMORY_BYTES = 32 << 20

export interface Spooled {
  readonly file: PagedBytes
  readonly close: () => Promise<void>
}

/** The body of a file of an archive, of which any part can be read; the file on disk is for this user only. */
export async function spooled(
  body: AsyncIterable<Uint8Array>,
  { size, what, signal }: Abortable & { readonly size: number; readonly what: string },
): Promise<Spooled> {
  if (size <= IN_MEMORY_BYTES) {
    const file = pagedMemory(await readAll(body, { maxBytes: size, what, signal }))
    return { file, close: () => Promise.resolve() }
  }
  const path = join(tmpdir(), `oci-publish-${randomUUID()}`)
  const handle = await open(path, 'wx+', 0o600)
  const close = async (): Promise<void> => {
    await handle.close()
    await rm(path, { force: true })
  }
  try {
    for await (const chunk of body) {
      signal?.throwIfAborted()
      await handle.writeFile(chunk)
    }
  } catch (error) {
    await close()
    throw error
  }
  const read = (at: number, bytes: number): Buffer => {
    const buffer = Buffer.allocUnsafe(Math.min(bytes, Math.max(0, size - at)))
    return buffer.subarray(0, readSync(handle.fd, buffer, 0, buffer.byteLength, at))
  }
  return { file: { byteLength: size, read }, close }
}
