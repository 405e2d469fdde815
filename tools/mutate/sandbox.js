// A copy of the project to change files in; the project itself is never touched.
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'

const LEFT_OUT = new Set(['node_modules', '.git', '.jest-cache', 'coverage', 'bench', 'docs'])

/** @param {string} root of the project */
export async function openSandbox(root) {
  const at = await mkdtemp(join(tmpdir(), 'mutate-'))
  await cp(root, at, { recursive: true, filter: from => !LEFT_OUT.has(from.slice(root.length + 1).split(sep)[0]) })
  await symlink(join(root, 'node_modules'), join(at, 'node_modules'))
  return {
    root: at,
    write: (file, source) => writeFile(join(at, file), source),
    [Symbol.asyncDispose]: () => rm(at, { recursive: true, force: true, maxRetries: 3 }),
  }
}
