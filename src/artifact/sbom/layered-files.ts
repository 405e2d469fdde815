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

const PREFIX = '.wh.'
const OPAQUE = '.wh..wh..opq'

/**
 * Files by their paths, over layers of which upper ones replace and remove what lower ones had. Only what was put there
 * takes memory, not every path of the image.
 *
 * @see image-spec v1.1.1, layer.md, "Applying Changesets"
 */
export class LayeredFiles<T> {
  readonly #files = new Map<string, LayeredFile<T>>()
  /** Directories above files that are there, with how many there are. */
  readonly #parents = new Map<string, number>()

  get(path: string): LayeredFile<T> | undefined {
    return this.#files.get(path)
  }

  entries(): readonly (readonly [path: string, file: LayeredFile<T>])[] {
    return [...this.#files].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  put(path: string, layer: number, value: T): void {
    if (!this.#files.has(path)) for (const parent of parentsOf(path)) this.#count(parent, 1)
    this.#files.set(path, { value, layer })
  }

  /**
   * Takes note of an entry of a layer, whatever it is.
   *
   * @returns whether it stands for itself; whiteouts do not
   */
  meet(path: string, layer: number, { isDirectory }: { readonly isDirectory: boolean }): boolean {
    const deletion = deletionOf(path)
    switch (deletion.kind) {
      case 'whiteout':
        this.#removeBelow(deletion.path, layer)
        this.#removeAt(deletion.path, layer)
        return false
      case 'opaque':
        this.#removeBelow(deletion.directory, layer)
        return false
      case 'none':
        this.#removeAt(path, layer)
        if (!isDirectory) this.#removeBelow(path, layer)
        return true
    }
  }

  /** Entries of the layer itself stay: a whiteout is about layers below, wherever in the layer it comes. */
  #removeAt(path: string, layer: number): void {
    const file = this.#files.get(path)
    if (!file || file.layer >= layer) return
    this.#files.delete(path)
    for (const parent of parentsOf(path)) this.#count(parent, -1)
  }

  #removeBelow(directory: string, layer: number): void {
    if (directory !== '.' && !this.#parents.has(directory)) return
    const prefix = directory === '.' ? '' : `${directory}/`
    for (const path of [...this.#files.keys()]) if (path.startsWith(prefix)) this.#removeAt(path, layer)
  }

  #count(parent: string, delta: number): void {
    const count = (this.#parents.get(parent) ?? 0) + delta
    if (count > 0) this.#parents.set(parent, count)
    else this.#parents.delete(parent)
  }
}

function* parentsOf(path: string): Generator<string> {
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    yield path.slice(0, slash)
  }
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
