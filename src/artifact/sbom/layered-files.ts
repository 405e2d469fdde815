import type { Budget } from '../../budget.ts'

/** A file that somebody asked for, as the layers up to now leave it. */
export interface LayeredFile<T> {
  readonly value: T
  /** Index of the layer that wrote it. */
  readonly layer: number
}

/** What an entry of a layer does to files of the layers below. */
type Deletion =
  | { readonly kind: 'none' }
  | { readonly kind: 'whiteout'; readonly path: string }
  | { readonly kind: 'opaque'; readonly directory: string }

/** As measured: a file with its name, and the table of a directory. */
const NODE_BYTES = 128
const TABLE_BYTES = 224

const PREFIX = '.wh.'
const OPAQUE = '.wh..wh..opq'

interface Node<T> {
  file: LayeredFile<T> | undefined
  children: Map<string, Node<T>> | undefined
  /** No file here or below is of a lower layer: a second whiteout of the same directory has nothing to look for. */
  oldest: number
  /** No file here or below is of a higher layer. */
  newest: number
}

/**
 * Files by their paths, over layers of which upper ones replace and remove what lower ones had. Only what was put there
 * takes memory, not every path of the image, and a whiteout costs no more than what it removes.
 *
 * @see image-spec v1.1.1, layer.md, "Applying Changesets"
 */
export class LayeredFiles<T> {
  readonly #root: Node<T> = emptyNode()
  /** What the layer in hand took away from the layers below. */
  #removed = new Map<string, LayeredFile<T>>()
  #layer = 0
  readonly #memory: Budget | undefined

  /** @param memory bytes that the paths may take, about */
  constructor(memory?: Budget) {
    this.#memory = memory
  }

  get(path: string): LayeredFile<T> | undefined {
    return this.#find(path)?.file
  }

  /** The file as the layers below `layer` had left it. */
  before(path: string, layer: number): LayeredFile<T> | undefined {
    this.#begin(layer)
    const file = this.get(path)
    return file && file.layer < layer ? file : this.#removed.get(path)
  }

  /** By path. */
  entries(): readonly (readonly [path: string, file: LayeredFile<T>])[] {
    const found: (readonly [string, LayeredFile<T>])[] = []
    const todo: (readonly [string, Node<T>])[] = [['', this.#root]]
    for (let next = todo.pop(); next; next = todo.pop()) {
      const [path, { file, children }] = next
      if (file) found.push([path, file])
      for (const [name, child] of children ?? []) todo.push([path === '' ? name : `${path}/${name}`, child])
    }
    return found.sort(([a], [b]) => (a < b ? -1 : 1))
  }

  put(path: string, layer: number, value: T): void {
    this.#begin(layer)
    let node = this.#root
    include(node, layer)
    for (const name of path.split('/')) {
      const child: Node<T> = node.children?.get(name) ?? this.#childOf(node, name)
      include(child, layer)
      node = child
    }
    node.file = { value, layer }
  }

  /**
   * Takes note of an entry of a layer, whatever it is.
   *
   * @returns whether it stands for itself; whiteouts do not
   */
  meet(path: string, layer: number, { isDirectory }: { readonly isDirectory: boolean }): boolean {
    this.#begin(layer)
    const deletion = deletionOf(path)
    switch (deletion.kind) {
      case 'whiteout':
        this.#remove(deletion.path, layer, { isDirectory: false })
        return false
      case 'opaque': // a directory, so that no file of a lower layer is in its place
        this.#remove(deletion.directory, layer, { isDirectory: false })
        return false
      case 'none':
        this.#remove(path, layer, { isDirectory })
        return true
    }
  }

  #childOf(node: Node<T>, name: string): Node<T> {
    this.#memory?.spend(NODE_BYTES + name.length + (node.children ? 0 : TABLE_BYTES), 'the layers of the image')
    const child = emptyNode<T>()
    node.children ??= new Map<string, Node<T>>()
    node.children.set(name, child)
    return child
  }

  #begin(layer: number): void {
    if (layer === this.#layer) return
    this.#layer = layer
    this.#removed = new Map()
  }

  #find(path: string): Node<T> | undefined {
    let node: Node<T> | undefined = this.#root
    for (const name of path === '.' ? [] : path.split('/')) node = node?.children?.get(name)
    return node
  }

  /**
   * Removes the file at a path and, but for a directory that is named again, all below it. Entries of the layer itself
   * stay: a whiteout is about layers below, wherever in the layer it comes.
   */
  #remove(path: string, layer: number, { isDirectory }: { readonly isDirectory: boolean }): void {
    const top = this.#find(path)
    if (!top || top.oldest >= layer) return
    this.#take(path, top, layer)
    if (isDirectory) return
    if (top.newest < layer) this.#unlink(path) // all of it goes
    top.oldest = layer
    const todo: (readonly [string, Node<T>])[] = [[path === '.' ? '' : path, top]]
    for (let next = todo.pop(); next; next = todo.pop()) {
      const [above, { children }] = next
      for (const [name, child] of children ?? []) {
        if (child.oldest >= layer) continue
        const at = above === '' ? name : `${above}/${name}`
        this.#take(at, child, layer)
        if (child.newest < layer) children?.delete(name)
        child.oldest = layer
        todo.push([at, child])
      }
    }
  }

  #unlink(path: string): void {
    const slash = path.lastIndexOf('/')
    this.#find(slash < 0 ? '.' : path.slice(0, slash))?.children?.delete(path.slice(slash + 1))
  }

  #take(path: string, node: Node<T>, layer: number): void {
    if (!node.file || node.file.layer >= layer) return
    this.#removed.set(path, node.file)
    node.file = undefined
  }
}

function include(node: Node<unknown>, layer: number): void {
  node.oldest = Math.min(node.oldest, layer)
  node.newest = Math.max(node.newest, layer)
}

function emptyNode<T>(): Node<T> {
  return { file: undefined, children: undefined, oldest: Infinity, newest: -1 }
}

function deletionOf(path: string): Deletion {
  const slash = path.lastIndexOf('/')
  const directory = slash < 0 ? '.' : path.slice(0, slash)
  const name = path.slice(slash + 1)
  if (!name.startsWith(PREFIX)) return { kind: 'none' }
  if (name === OPAQUE) return { kind: 'opaque', directory }
  const deleted = name.slice(PREFIX.length)
  return { kind: 'whiteout', path: slash < 0 ? deleted : `${directory}/${deleted}` }
}
