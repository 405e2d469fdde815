import { createHash } from 'node:crypto'
import { decompress } from '../archive/decompress.ts'
import { cleanPath } from '../archive/tar/path.ts'
import { readTar, type TarMember } from '../archive/tar/read.ts'
import type { Blob } from '../content/blob.ts'
import type { Abortable } from '../async/abortable.ts'
import { readAll } from '../content/verify.ts'
import { OciPublishError } from '../errors.ts'
import { algorithmOf, type Digest } from '../oci/digest.ts'
import { whiteoutOf } from './whiteout.ts'

/** One entry of a layer, without its body. */
export interface TreeEntry {
  /** Relative to the root, one spelling; the root itself is empty. */
  readonly path: string
  /** Hard links are files; devices and pipes are `other`. */
  readonly type: 'file' | 'directory' | 'symlink' | 'other'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly linkTarget?: string | undefined
  /** The content of the few files that names of users and groups are looked up in. */
  readonly text?: string | undefined
}

/** What one layer does to the tree below it. */
export interface LayerTree {
  readonly entries: readonly TreeEntry[]
  /** Paths that it deletes. */
  readonly whiteouts: readonly string[]
  /** Directories that hide what the layers below have in them. */
  readonly opaques: readonly string[]
}

/** `etc/passwd` itself, and where distributions keep what it links to. */
const ACCOUNT_FILE = /(?:^|\/)(?:etc|usr\/lib)\/(?:passwd|group)$/
const MAX_TEXT_BYTES = 1 << 20

/** Whether the content of a file says who is who. */
export function isAccountFile(path: string, size: number): boolean {
  return ACCOUNT_FILE.test(path) && size <= MAX_TEXT_BYTES
}

/**
 * Reads the headers of a layer of the base.
 *
 * @param options.diffID what the config of the base says that it is
 * @throws {OciPublishError} INVALID_ARCHIVE when it is no tar, or leads out of the root; INVALID_DOCUMENT when it is
 *   another than the config says
 */
export function readLayerTree(
  blob: Blob,
  { diffID, signal }: Abortable & { readonly diffID?: Digest | undefined } = {},
): Promise<LayerTree> {
  return readTree(blob.open({ signal }), { from: `base layer ${blob.descriptor.digest}`, diffID, signal })
}

/**
 * Reads the headers of a layer, plain or compressed, in one pass without keeping bodies.
 *
 * @param from names it in errors
 * @throws {OciPublishError} INVALID_ARCHIVE when it is no tar, or leads out of the root
 */
export async function readTree(
  layer: AsyncIterable<Uint8Array>,
  { from, diffID, signal }: Abortable & { readonly from: string; readonly diffID?: Digest | undefined },
): Promise<LayerTree> {
  const entries: TreeEntry[] = []
  const whiteouts: string[] = []
  const opaques: string[] = []
  const texts = new Map<string, string>()
  const plain = decompress(layer, { from, signal })
  const tar = diffID === undefined ? plain : withDiffID(plain, diffID, from)
  for await (const member of readTar(tar, { from, signal })) {
    const path = relative(member.entry.path)
    const deletion = whiteoutOf(path)
    if (deletion?.kind === 'opaque') opaques.push(deletion.directory)
    else if (deletion?.kind === 'whiteout') whiteouts.push(deletion.path)
    if (deletion) continue
    const entry = await treeEntry(path, member, texts, { signal })
    if (entry.text !== undefined) texts.set(path, entry.text)
    entries.push(entry)
  }
  return { entries, whiteouts, opaques }
}

/**
 * Passes on what must have a diffID. We repeat in our config what the base says of its layers, and runtimes refuse an image
 * that has another, or, worse, take a layer of another image for it.
 */
async function* withDiffID(
  tar: AsyncIterable<Uint8Array>,
  diffID: Digest,
  from: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash(algorithmOf(diffID))
  for await (const chunk of tar) {
    hash.update(chunk)
    yield chunk
  }
  const found = `${algorithmOf(diffID)}:${hash.digest('hex')}`
  if (found === diffID) return
  throw new OciPublishError(
    'INVALID_DOCUMENT',
    `${from} is ${found} uncompressed, and the config of the base says ${diffID}`,
    {
      hint: 'no runtime can unpack this base as it is: build it again, or choose another "base-image"',
    },
  )
}

async function treeEntry(
  path: string,
  { entry, body }: TarMember,
  texts: ReadonlyMap<string, string>,
  { signal }: Abortable,
): Promise<TreeEntry> {
  const { mode, uid, gid } = entry
  switch (entry.type) {
    case 'directory':
      return { path, type: 'directory', mode, uid, gid }
    case 'symlink':
      return { path, type: 'symlink', mode, uid, gid, linkTarget: entry.linkPath }
    case 'hardlink':
      return { path, type: 'file', mode, uid, gid, text: texts.get(relative(entry.linkPath)) }
    case 'file': {
      if (!isAccountFile(path, entry.size)) return { path, type: 'file', mode, uid, gid }
      const bytes = await readAll(body, { maxBytes: MAX_TEXT_BYTES, what: path, signal })
      return { path, type: 'file', mode, uid, gid, text: new TextDecoder().decode(bytes) }
    }
    case 'character':
    case 'block':
    case 'fifo':
      return { path, type: 'other', mode, uid, gid }
  }
}

function relative(path: string): string {
  const clean = cleanPath(path)
  return clean === '.' ? '' : clean
}
