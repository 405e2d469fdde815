import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, chown, copyFile, link, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findBusybox, run, temporaryDirectory } from './peers.ts'

/** One name of a tree; `owner` is uid:gid, root by default. */
type TreeNode =
  | { readonly directory: true; readonly mode?: number; readonly owner?: string }
  | { readonly text: string; readonly mode?: number; readonly owner?: string }
  | { readonly symlink: string }
  | { readonly hardlink: string }
  | { readonly busybox: true }

const LONG = `${'a-long-name-'.repeat(12)}end`

/** The root file system of the base images: merged /usr, odd modes, names that need a tar extension. */
const BOTTOM: Readonly<Record<string, TreeNode>> = {
  bin: { symlink: 'usr/bin' },
  etc: { directory: true },
  'etc/group': { text: 'root:x:0:\nstaff:x:50:app\napp:x:2345:\n' },
  'etc/passwd': {
    text: 'root:x:0:0:root:/root:/bin/sh\napp:x:1234:2345::/home/app:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n',
  },
  'etc/shadow': { text: 'root:*:19000:0:99999:7:::\n', mode: 0o640, owner: '0:42' },
  home: { directory: true },
  'home/app': { directory: true, mode: 0o750, owner: '1234:2345' },
  'home/app/.profile': { text: 'umask 027\n', mode: 0o600, owner: '1234:2345' },
  lib: { symlink: 'usr/lib' },
  opt: { directory: true },
  'opt/removed': { directory: true },
  'opt/removed/file': { text: 'the layer above removes it\n' },
  'opt/emptied': { directory: true },
  'opt/emptied/below': { text: 'the layer above hides it\n' },
  root: { directory: true, mode: 0o700 },
  run: { directory: true },
  srv: { directory: true },
  tmp: { directory: true, mode: 0o1777 },
  usr: { directory: true },
  'usr/bin': { directory: true },
  'usr/bin/bb': { hardlink: 'usr/bin/busybox' },
  'usr/bin/busybox': { busybox: true },
  'usr/bin/cat': { symlink: 'busybox' },
  'usr/bin/echo': { symlink: 'busybox' },
  'usr/bin/id': { symlink: 'busybox' },
  'usr/bin/ls': { symlink: '/usr/bin/busybox' },
  'usr/bin/sh': { symlink: 'busybox' },
  'usr/bin/stat': { symlink: 'busybox' },
  'usr/lib': { directory: true },
  'usr/share': { directory: true },
  'usr/share/grüße.txt': { text: 'not ASCII\n' },
  [`usr/share/${LONG}`]: { directory: true },
  [`usr/share/${LONG}/${LONG}`]: { text: 'a path of more than 256 bytes\n' },
  var: { directory: true },
  'var/run': { symlink: '/run' },
}

/** The layer above: removes, hides, replaces a directory by a link. */
const TOP: Readonly<Record<string, TreeNode>> = {
  etc: { directory: true },
  'etc/os-release': { text: 'ID=base\nVERSION_ID=1\n' },
  opt: { directory: true },
  'opt/.wh.removed': { text: '' },
  'opt/emptied': { directory: true },
  'opt/emptied/.wh..wh..opq': { text: '' },
  'opt/emptied/above': { text: 'new\n' },
  srv: { symlink: 'var/www' },
  var: { directory: true },
  'var/www': { directory: true, mode: 0o2775, owner: '1234:2345' },
}

export type Architecture = 'amd64' | 'arm64'

/** What GNU tar is told to write: both are in the wild. */
type TarFormat = 'gnu' | 'pax'

/** Outlives the runs of the tests. */
const CACHE = join(tmpdir(), 'oci-publish-bases')

/**
 * The layers of the base image, lowest first: paths of tar files by GNU tar, with a busybox from Debian.
 * They are made once a machine. Needs root, for the owners.
 */
export async function baseLayers(architecture: Architecture): Promise<readonly string[]> {
  const format = architecture === 'amd64' ? 'gnu' : 'pax'
  return [await treeTar(BOTTOM, format, architecture), await treeTar(TOP, format)]
}

/** A layer without programs, for images that are chosen but not run. */
export async function etcLayer(osRelease: string): Promise<string> {
  return treeTar({ etc: { directory: true }, 'etc/os-release': { text: osRelease } }, 'pax')
}

async function treeTar(
  tree: Readonly<Record<string, TreeNode>>,
  format: TarFormat,
  architecture?: Architecture,
): Promise<string> {
  const busybox = architecture && findBusybox(architecture)
  const hash = createHash('sha256').update(JSON.stringify([tree, format]))
  if (busybox !== undefined) hash.update(await readFile(busybox))
  return cached(`tree-${hash.digest('hex').slice(0, 16)}.tar`, async (path, work) => {
    const root = join(work, 'root')
    await mkdir(root)
    const nodes = Object.entries(tree)
    for (const [name, node] of nodes) if (!('hardlink' in node)) await make(join(root, name), node, busybox)
    for (const [name, node] of nodes) if ('hardlink' in node) await link(join(root, node.hardlink), join(root, name))
    const stable = ['--sort=name', '--mtime=@1700000000', '--numeric-owner', `--format=${format}`]
    const top = (await readdir(root)).toSorted()
    await run('tar', ['--create', `--file=${path}`, ...stable, '--directory', root, ...top])
  })
}

async function make(path: string, node: TreeNode, busybox: string | undefined): Promise<void> {
  if ('symlink' in node) return symlink(node.symlink, path)
  if ('busybox' in node) {
    if (busybox === undefined) throw new Error(`${path}: which architecture?`)
    await copyFile(busybox, path)
    return chmod(path, 0o755)
  }
  if ('hardlink' in node) throw new Error(`${path}: links are made last`)
  if ('directory' in node) await mkdir(path)
  else await writeFile(path, node.text)
  const [uid = 0, gid = 0] = (node.owner ?? '0:0').split(':').map(Number)
  await chown(path, uid, gid)
  await chmod(path, node.mode ?? ('directory' in node ? 0o755 : 0o644)) // last: chown takes setgid away
}

/**
 * A file that is made once a machine. `name` says what is in it; `makeIt` gets a directory to work in.
 * The file appears whole or not at all.
 */
export async function cached(name: string, makeIt: (path: string, work: string) => Promise<void>): Promise<string> {
  const path = join(CACHE, name)
  if (existsSync(path)) return path
  await mkdir(CACHE, { recursive: true })
  await using work = await temporaryDirectory(CACHE)
  const made = join(work.path, 'made')
  await makeIt(made, work.path)
  await rename(made, path)
  return path
}
