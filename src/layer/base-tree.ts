import type { Budget } from '../budget.ts'
import type { Accounts } from './owner.ts'
import type { LayerTree } from './layer-tree.ts'
import type { TreeEntry } from './tree-entry.ts'

/** What is at a path. Hard links are files; what is neither directory nor symlink nor file is `other`. */
export type BaseEntry = Omit<TreeEntry, 'path'>

/** Where a path leads, or why nowhere. Relative to the root, the root itself is empty. */
export type Resolved = { readonly path: string; readonly problem?: undefined } | { readonly problem: string }

/** As Linux: more symlinks on one way are a loop. */
const MAX_HOPS = 40

interface Node {
  entry: BaseEntry
  /** Of a directory that has some. */
  children: Map<string, Node> | undefined
  /** The tree that may change it; others that share it copy it first. Nobody changes one that has none. */
  readonly owner: BaseTree | undefined
}

export interface BaseTreeOptions {
  readonly below?: BaseTree | undefined
  /** Entries that may be laid over each other. */
  readonly entries?: Budget | undefined
  /** Bytes of memory that the tree may take, about. */
  readonly memory?: Budget | undefined
  /** Names the image in errors. */
  readonly from?: string | undefined
}

/** What places take, as measured: a name in its directory, a node with attributes of its own, a directory's table. */
const NAME_BYTES = 64
const NODE_BYTES = 176
const TABLE_BYTES = 224

/**
 * The file tree that layers make, one over the other. A layer is written against the tree below it: parents with the
 * attributes they have, destinations where symlinks lead, owners by the names that are known there.
 */
export class BaseTree {
  #root: Node
  readonly #entries: Budget | undefined
  readonly #memory: Budget | undefined
  readonly #from: string

  /**
   * @param layers bottom layer first
   * @throws {OciPublishError} TOO_LARGE beyond the budget
   */
  constructor(layers: readonly LayerTree[], options: BaseTreeOptions = {}) {
    const { below, entries, memory, from = 'the tree of the image' } = options
    this.#root = below ? below.#root : { entry: implied, children: undefined, owner: this }
    this.#entries = entries
    this.#memory = memory
    this.#from = from
    const plain = new PlainNodes()
    for (const layer of layers) this.#apply(layer, plain)
  }

  /** The tree with one more layer on top. This one stays as it is; what does not differ is shared. */
  under(layer: LayerTree): BaseTree {
    return new BaseTree([layer], { below: this })
  }

  /** Deletions of a layer only concern the layers below it, wherever in the archive they stand. */
  #apply({ entries, whiteouts, opaques }: LayerTree, plain: PlainNodes): void {
    for (const path of opaques) {
      if (this.#find(path)?.children) this.#own(path).children = undefined
    }
    for (const path of whiteouts) {
      if (this.#find(path)) this.#own(directoryOf(path)).children?.delete(nameOf(path))
    }
    for (const entry of entries) {
      this.#entries?.spend(1, this.#from)
      this.#put(entry, plain)
    }
  }

  #put({ path, ...entry }: TreeEntry, plain: PlainNodes): void {
    const shared = path === '' ? undefined : plain.nodeOf(entry)
    if (shared) {
      this.#add(this.#childrenOf(this.#own(directoryOf(path))), nameOf(path), shared)
      return
    }
    const node = this.#own(path)
    const { linkTarget = '', text = '' } = entry
    this.#memory?.spend(linkTarget.length + text.length, this.#from)
    node.entry = plain.entryOf(entry)
    if (entry.type !== 'directory') node.children = undefined
  }

  /**
   * The place of a path, made where need be, and free to be changed.
   *
   * Runtimes unpack each layer into a directory of its own, so what stands above an entry becomes a directory there, and
   * hides a symlink of the layers below.
   */
  #own(path: string): Node {
    let node = (this.#root = this.#mine(this.#root))
    for (let from = 0; from < path.length;) {
      const slash = path.indexOf('/', from)
      const name = slash < 0 ? path.slice(from) : path.slice(from, slash)
      from = slash < 0 ? path.length : slash + 1
      const children = this.#childrenOf(node)
      const child = children.get(name)
      const mine = child ? this.#mine(child) : { entry: implied, children: undefined, owner: this }
      if (!child) this.#memory?.spend(NODE_BYTES, this.#from)
      if (mine !== child) this.#add(children, name, mine)
      node = mine
    }
    return node
  }

  /** As a directory, which it becomes where it is none. */
  #childrenOf(node: Node): Map<string, Node> {
    if (node.entry.type !== 'directory') node.entry = implied
    if (!node.children) this.#memory?.spend(TABLE_BYTES, this.#from)
    return (node.children ??= new Map<string, Node>())
  }

  #add(children: Map<string, Node>, name: string, node: Node): void {
    if (children.has(name)) children.set(name, node)
    else {
      this.#memory?.spend(NAME_BYTES + name.length, this.#from)
      children.set(alone(name), node)
    }
  }

  #mine(node: Node): Node {
    return node.owner === this ? node : { ...node, children: node.children && new Map(node.children), owner: this }
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root
    for (const name of path === '' ? [] : path.split('/')) node = node?.children?.get(name)
    return node
  }

  /** What is at a path itself: a symlink is not followed, neither there nor on the way. */
  lookup(path: string): BaseEntry | undefined {
    return this.#find(path)?.entry
  }

  /** Follows symlinks in all directories above a path, but not the path itself. */
  resolveParents(path: string): Resolved {
    return this.#resolve(path, false)
  }

  /** Follows symlinks all the way. What is not there stays as it is. */
  resolve(path: string): Resolved {
    return this.#resolve(path, true)
  }

  #resolve(path: string, last: boolean): Resolved {
    const todo = partsOf(path)
    const names: string[] = []
    const nodes: (Node | undefined)[] = [this.#root] // one more than the names
    let hops = 0
    for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
      if (name === '..') {
        if (names.pop() !== undefined) nodes.pop() // of the root it is the root
        continue
      }
      const node = nodes.at(-1)?.children?.get(name)
      const more = todo.length > 0
      if (node?.entry.type === 'symlink' && node.entry.linkTarget !== undefined && (more || last)) {
        if (++hops > MAX_HOPS) return { problem: `/${path}: too many symlinks at /${[...names, name].join('/')}` }
        if (node.entry.linkTarget.startsWith('/')) {
          names.length = 0
          nodes.length = 1
        }
        todo.push(...partsOf(node.entry.linkTarget))
        continue
      }
      if (node && node.entry.type !== 'directory' && more) {
        return { problem: `/${path}: /${[...names, name].join('/')} is not a directory in the layers below` }
      }
      names.push(name)
      nodes.push(node)
    }
    return { path: names.join('/') }
  }

  /** The files that names of users and groups are looked up in. */
  accounts(): Accounts {
    return { passwd: this.#text('etc/passwd'), group: this.#text('etc/group') }
  }

  #text(path: string): string | undefined {
    const resolved = this.resolve(path)
    return resolved.problem === undefined ? this.lookup(resolved.path)?.text : undefined
  }
}

/** The parts of a path that matter, last one first. */
function partsOf(path: string): string[] {
  return path
    .split('/')
    .filter(part => part !== '' && part !== '.')
    .reverse()
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** A part of a string keeps all of it in memory. */
function alone(name: string): string {
  return Buffer.from(name).toString()
}

/** What looks the same is the same object: a base has few kinds of owners and modes, and a million files. */
class PlainNodes {
  readonly #entries = new Map<string, BaseEntry>()
  readonly #nodes = new Map<BaseEntry, Node>()

  entryOf(entry: BaseEntry): BaseEntry {
    const { type, mode, uid, gid, linkTarget, text } = entry
    if (linkTarget !== undefined || text !== undefined) return entry
    const key = `${type} ${mode} ${uid} ${gid}`
    const known = this.#entries.get(key)
    if (known) return known
    if (this.#entries.size < MAX_KINDS) this.#entries.set(key, entry)
    return entry
  }

  /** One that nobody may change; undefined for what has more to it than numbers. */
  nodeOf(entry: BaseEntry): Node | undefined {
    const { type, text } = entry
    if (text !== undefined || (type !== 'file' && type !== 'other')) return undefined
    const one = this.entryOf(entry)
    const known = this.#nodes.get(one)
    if (known || this.#nodes.size >= MAX_KINDS) return known
    const node: Node = { entry: one, children: undefined, owner: undefined }
    this.#nodes.set(one, node)
    return node
  }
}

const MAX_KINDS = 4096

/** A directory that nothing describes; what runtimes make of it. */
const implied: BaseEntry = { type: 'directory', mode: 0o755, uid: 0, gid: 0 }

/** What `FROM scratch` has. */
export const emptyTree: BaseTree = new BaseTree([])
