import { createHash } from 'node:crypto'
import { decompress } from '../archive/decompress.ts'
import { cleanPath } from '../archive/tar/path.ts'
import { readTar, type TarMember } from '../archive/tar/read.ts'
import type { Blob } from '../content/blob.ts'
import type { Abortable } from '../async/abortable.ts'
import { readAll } from '../content/verify.ts'
import { OciPublishError } from '../errors.ts'
import { algorithmOf, type Digest } from '../oci/digest.ts'
import { PackedEntries } from './packed-entries.ts'
import type { TreeEntry } from './tree-entry.ts'
import { treeBudget, type TreeBudget } from './tree-budget.ts'
import { whiteoutOf } from './whiteout.ts'

/** What one layer does to the tree below it. */
export interface LayerTree {
  /** In the order of the archive. */
  readonly entries: Iterable<TreeEntry>
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

export interface ReadTreeOptions extends Abortable {
  /** What the layer has to be, uncompressed. */
  readonly diffID?: Digest | undefined
  /** Shared by the layers of an image. */
  readonly budget?: TreeBudget | undefined
}

/**
 * Reads the headers of a layer of the base.
 *
 * @param options.diffID what the config of the base says that it is
 * @throws {OciPublishError} INVALID_ARCHIVE when it is no tar, or leads out of the root; INVALID_DOCUMENT when it is
 *   another than the config says; TOO_LARGE beyond the budget
 */
export function readLayerTree(blob: Blob, options: ReadTreeOptions = {}): Promise<LayerTree> {
  const { signal } = options
  return readTree(blob.open({ signal }), { from: `base layer ${blob.descriptor.digest}`, ...options })
}

/**
 * Reads the headers of a layer, plain or compressed, in one pass without keeping bodies.
 *
 * @param from names it in errors
 * @throws {OciPublishError} INVALID_ARCHIVE when it is no tar, or leads out of the root; TOO_LARGE beyond the budget
 */
export async function readTree(
  layer: AsyncIterable<Uint8Array>,
  { from, diffID, budget = treeBudget(), signal }: ReadTreeOptions & { readonly from: string },
): Promise<LayerTree> {
  const spendMemory = (bytes: number): void => {
    budget.memory.spend(bytes, from)
  }
  const entries = new PackedEntries(spendMemory)
  const whiteouts: string[] = []
  const opaques: string[] = []
  const texts = new Map<string, string>()
  const plain = decompress(layer, { from, inflation: budget.inflation, signal })
  const tar = diffID === undefined ? plain : withDiffID(plain, diffID, from)
  for await (const member of readTar(tar, { from, signal })) {
    budget.entries.spend(1, from)
    const path = relative(member.entry.path)
    const deletion = whiteoutOf(path)
    if (deletion?.kind === 'opaque') opaques.push(deletion.directory)
    else if (deletion?.kind === 'whiteout') whiteouts.push(deletion.path)
    if (deletion) {
      spendMemory(STRING_BYTES + path.length)
      continue
    }
    const entry = await treeEntry(path, member, texts, { signal })
    if (entry.text !== undefined) {
      budget.accounts.spend(path.length + entry.text.length, from)
      texts.set(path, entry.text)
    }
    entries.add(entry)
  }
  entries.finish()
  return { entries, whiteouts, opaques }
}

/** A string and its place in a list. */
const STRING_BYTES = 32

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
