import { chmodSync, linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** What a test wants on disk: text of a file, or what else is there. */
export type Wanted =
  | string
  | { readonly text: string; readonly mode: number }
  | { readonly link: string }
  /** Another name of a file that is there. */
  | { readonly hard: string }
  | { readonly directory: true; readonly mode?: number }

export interface TempDir extends Disposable {
  readonly path: string
  /** Makes files by relative path, with the directories above them. */
  put(files: Readonly<Record<string, Wanted>>): void
}

/** A directory that is gone at the end of the block. */
export function tempDir(): TempDir {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'oci-publish-layer-')))
  return {
    path,
    put(files) {
      for (const [name, wanted] of Object.entries(files)) putOne(path, join(path, name), wanted)
    },
    [Symbol.dispose]() {
      rmSync(path, { recursive: true, force: true })
    },
  }
}

function putOne(root: string, path: string, wanted: Wanted): void {
  mkdirSync(dirname(path), { recursive: true })
  if (typeof wanted === 'string') writeFileSync(path, wanted)
  else if ('link' in wanted) symlinkSync(wanted.link, path)
  else if ('hard' in wanted) linkSync(join(root, wanted.hard), path)
  else if ('directory' in wanted) mkdirSync(path, { recursive: true })
  else writeFileSync(path, wanted.text)
  if (typeof wanted === 'object' && 'mode' in wanted) chmodSync(path, wanted.mode)
}
