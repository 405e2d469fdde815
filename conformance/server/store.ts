import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Bytes that can be read in part, any number of times. */
export interface StoredBytes {
  readonly size: number
  /** `end` is exclusive. */
  read(start?: number, end?: number): AsyncIterable<Uint8Array>
}

/** Bytes that are still arriving. */
export interface Growing extends StoredBytes {
  append(piece: Uint8Array): Promise<void>
  truncate(size: number): Promise<void>
  /** Keeps them under a name, or throws them away when there is none. */
  finish(name?: string): Promise<StoredBytes>
}

export interface StoredManifest {
  readonly digest: string
  readonly mediaType: string
  readonly bytes: Buffer
}

/** An upload session. `state` changes with every piece of content, and a client must keep up with it. */
export interface Upload {
  readonly id: string
  readonly repository: string
  readonly algorithm: string
  readonly content: Growing
  state: string
  /** A chunk shorter than OCI-Chunk-Min-Length has come: it must be the last. */
  short: boolean
}

export interface Repository {
  readonly blobs: Map<string, StoredBytes>
  readonly manifests: Map<string, StoredManifest>
  /** Tag to digest. */
  readonly tags: Map<string, string>
}

/** All that a registry keeps: in memory, or its blobs in files of `directory`. */
export class Store {
  readonly repositories: Map<string, Repository>
  readonly uploads: Map<string, Upload>
  readonly #directory: string | undefined

  constructor(directory?: string) {
    this.repositories = new Map()
    this.uploads = new Map()
    this.#directory = directory
  }

  /** The repository, made when it is not there: pushing is what creates one. */
  repository(name: string): Repository {
    const known = this.repositories.get(name)
    if (known) return known
    const made: Repository = { blobs: new Map(), manifests: new Map(), tags: new Map() }
    this.repositories.set(name, made)
    return made
  }

  async startUpload(repository: string, algorithm: string): Promise<Upload> {
    const id = randomUUID()
    const content = this.#directory === undefined ? growInMemory() : await growInFile(this.#directory, id)
    const upload = { id, repository, algorithm, content, state: randomUUID(), short: false }
    this.uploads.set(id, upload)
    return upload
  }

  async dropUpload({ id, content }: Upload): Promise<void> {
    this.uploads.delete(id)
    await content.finish()
  }
}

export async function digestOf(bytes: StoredBytes, algorithm: string): Promise<string> {
  const hash = createHash(algorithm)
  for await (const piece of bytes.read()) hash.update(piece)
  return `${algorithm}:${hash.digest('hex')}`
}

function growInMemory(): Growing {
  let pieces: Buffer[] = []
  const whole = (): Buffer => {
    const bytes = Buffer.concat(pieces)
    pieces = [bytes]
    return bytes
  }
  const growing: Growing = {
    get size() {
      return pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- the interface is that of files
    async *read(start, end) {
      yield whole().subarray(start, end)
    },
    append: piece => {
      pieces.push(Buffer.from(piece))
      return Promise.resolve()
    },
    truncate: size => {
      pieces = [whole().subarray(0, size)]
      return Promise.resolve()
    },
    finish: () => Promise.resolve(growing),
  }
  return growing
}

async function growInFile(directory: string, id: string): Promise<Growing> {
  await mkdir(directory, { recursive: true })
  let path = join(directory, `upload-${id}`)
  const file = await open(path, 'w+')
  let size = 0
  const growing: Growing = {
    get size() {
      return size
    },
    async *read(start = 0, end = size) {
      if (end > start) yield* createReadStream(path, { start, end: end - 1 }) as AsyncIterable<Uint8Array>
    },
    append: async piece => {
      await file.write(piece, 0, piece.byteLength, size)
      size += piece.byteLength
    },
    truncate: async to => {
      await file.truncate(to)
      size = to
    },
    finish: async name => {
      await file.close()
      if (name === undefined) {
        await rm(path, { force: true })
        return growing
      }
      const kept = join(directory, name.replace(':', '-'))
      await rename(path, kept)
      path = kept
      return growing
    },
  }
  return growing
}
