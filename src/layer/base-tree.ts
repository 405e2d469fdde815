import type { Accounts } from './owner.ts'
import type { LayerTree, TreeEntry } from './layer-tree.ts'

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
  /** The tree that may change it; others that share it copy it first. */
  readonly owner: BaseTree
}

/**
 * The file tree that layers make, one over the other. A layer is written against the tree below it: parents with the
 * attributes they have, destinations where symlinks lead, owners by the names that are known there.
 */
export class BaseTree {
  #root: Node

  /** Bottom layer first. */
  constructor(layers: readonly LayerTree[], below?: BaseTree) {
    this.#root = below ? below.#root : { entry: implied, children: undefined, owner: this }
    for (const layer of layers) this.#apply(layer)
  }

  /** The tree with one more layer on top. This one stays as it is; what does not differ is shared. */
  under(layer: LayerTree): BaseTree {
    return new BaseTree([layer], this)
  }

  /** Deletions of a layer only concern the layers below it, wherever in the archive they stand. */
  #apply({ entries, whiteouts, opaques }: LayerTree): void {
    for (const path of opaques) {
      if (this.#find(path)?.children) this.#own(path).children = undefined
    }
    for (const path of whiteouts) {
      const slash = path.lastIndexOf('/')
      const directory = path.slice(0, Math.max(0, slash))
      if (this.#find(path)) this.#own(directory).children?.delete(path.slice(slash + 1))
    }
    for (const entry of entries) {
      const node = this.#own(entry.path)
      node.entry = entry
      if (entry.type !== 'directory') node.children = undefined
    }
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
      if (node.entry.type !== 'directory') node.entry = implied
      node.children ??= new Map()
      const child = node.children.get(name)
      const mine = child ? this.#mine(child) : { entry: implied, children: undefined, owner: this }
      if (mine !== child) node.children.set(name, mine)
      node = mine
    }
    return node
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
    const todo = path.split('/').reverse()
    let done: readonly string[] = []
    let hops = 0
    for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
      if (name === '' || name === '.') continue
      if (name === '..') {
        done = done.slice(0, -1) // of the root it is the root
        continue
      }
      const next = [...done, name]
      const entry = this.lookup(next.join('/'))
      const more = todo.some(rest => rest !== '' && rest !== '.')
      if (entry?.type === 'symlink' && entry.linkTarget !== undefined && (more || last)) {
        if (++hops > MAX_HOPS) return { problem: `/${path}: too many symlinks at /${next.join('/')}` }
        if (entry.linkTarget.startsWith('/')) done = []
        todo.push(...entry.linkTarget.split('/').reverse())
        continue
      }
      if (entry && entry.type !== 'directory' && more) {
        return { problem: `/${path}: /${next.join('/')} is not a directory in the layers below` }
      }
      done = next
    }
    return { path: done.join('/') }
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

/** A directory that nothing describes; what runtimes make of it. */
const implied: BaseEntry = { type: 'directory', mode: 0o755, uid: 0, gid: 0 }

/** What `FROM scratch` has. */
export const emptyTree: BaseTree = new BaseTree([])
