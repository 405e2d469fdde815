import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory of the test's own, removed at the end of the block. */
export async function tempDir(): Promise<AsyncDisposable & { readonly path: string; in(...parts: string[]): string }> {
  const path = await mkdtemp(join(tmpdir(), 'layout-'))
  return {
    path,
    in: (...parts) => join(path, ...parts),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}
