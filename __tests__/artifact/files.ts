import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Blob } from '../../src/content/blob.ts'
import { readAll } from '../../src/content/verify.ts'

/** What a file holds, where a link leads, or a program. */
export type Content = string | Uint8Array | { readonly link: string } | { readonly program: string }

/** Writes files by their path below a folder, with times of their own. */
export async function put(
  folder: string,
  files: Readonly<Record<string, Content>>,
  mtime: Date = new Date(),
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    if (typeof content === 'string' || content instanceof Uint8Array) await writeFile(file, content)
    else if ('link' in content) {
      await symlink(content.link, file)
      continue
    } else await writeFile(file, content.program, { mode: 0o755 })
    await utimes(file, mtime, mtime)
  }
}

export function bytesOf(blob: Blob | undefined): Promise<Uint8Array> {
  if (!blob) throw new Error('there is no blob')
  return readAll(blob.open(), { maxBytes: 1 << 24, what: 'blob' })
}

export async function jsonOf(blob: Blob | undefined): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await bytesOf(blob))) as unknown
}
