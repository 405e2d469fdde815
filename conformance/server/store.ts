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
interface Growing extends StoredBytes {
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
  /** Chunks that have come. */
  pieces: number
  /** The client has been told of it, so that it can be held to end it. */
  told: boolean
}

/** What was pushed, with what a judge wants to know of that moment. */
export interface Landed {
  readonly what: 'blob' | 'manifest' | 'tag'
  /** Pushed by somebody else, as a fault had it. */
  readonly bySomebodyElse?: true
  readonly repository: string
  /** A digest, or the tag. */
  readonly name: string
  /** What a manifest or tag points at, near or far, and was not there. */
  readonly missing: readonly string[]
}

export interface Repository {
  readonly blobs: Map<string, StoredBytes>
  readonly manifests: Map<string, StoredManifest>
  /** Tag to digest. */
  readonly tags: Map<string, string>
  /** Digest of a subject to those of the manifests in the list of what refers to it. */
  readonly referrers: Map<string, readonly string[]>
}

/** What a repository may be given at once. */
export interface Content {
  /** By digest. */
  readonly blobs: ReadonlyMap<string, Buffer>
  readonly manifests: readonly StoredManifest[]
  /** Tag to digest. */
  readonly tags: ReadonlyMap<string, string>
}

/** All that a registry keeps: in memory, or its blobs in files of `directory`. */
export class Store {
  readonly repositories: Map<string, Repository>
  readonly uploads: Map<string, Upload>
  /** In the order of arrival. */
  readonly landed: Landed[] = []
  /** Content that is there and does not show yet: reads that it is hidden from. */
  readonly #hidden = new Map<string, number>()
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
    const made: Repository = { blobs: new Map(), manifests: new Map(), tags: new Map(), referrers: new Map() }
    this.repositories.set(name, made)
    return made
  }

  /** A blob of any repository. */
  anywhere(digest: string): StoredBytes | undefined {
    for (const { blobs } of this.repositories.values()) {
      const bytes = blobs.get(digest)
      if (bytes) return bytes
    }
    return undefined
  }

  /** A manifest of any repository. */
  manifestAnywhere(digest: string): StoredManifest | undefined {
    for (const { manifests } of this.repositories.values()) {
      const manifest = manifests.get(digest)
      if (manifest) return manifest
    }
    return undefined
  }

  async startUpload(repository: string, algorithm: string): Promise<Upload> {
    const id = randomUUID()
    const content = this.#directory === undefined ? growInMemory() : await growInFile(this.#directory, id)
    const upload = { id, repository, algorithm, content, state: randomUUID(), short: false, pieces: 0, told: false }
    this.uploads.set(id, upload)
    return upload
  }

  /** Puts content there as if it had always been. */
  seed(name: string, content: Content): void {
    const { blobs, manifests, tags, referrers } = this.repository(name)
    for (const [digest, bytes] of content.blobs) blobs.set(digest, bytesOf(bytes))
    for (const manifest of content.manifests) {
      manifests.set(manifest.digest, manifest)
      const subject = subjectOf(manifest.bytes)
      if (subject !== undefined) referrers.set(subject, listedWith(referrers.get(subject), manifest.digest))
    }
    for (const [tag, digest] of content.tags) tags.set(tag, digest)
  }

  /** Storage that is copied behind the registry's back: what was pushed is not found by so many reads. */
  hide(name: string, reads: number): void {
    this.#hidden.set(name, reads)
  }

  /** Counts a read. */
  isHidden(name: string): boolean {
    const left = this.#hidden.get(name) ?? 0
    if (left > 0) this.#hidden.set(name, left - 1)
    return left > 0
  }

  async dropUpload({ id, content }: Upload): Promise<void> {
    this.uploads.delete(id)
    await content.finish()
  }
}

/** The digest of the subject that a manifest names. */
function subjectOf(manifest: Buffer): string | undefined {
  return fieldOf(parseJson(manifest)?.['subject'], 'digest')
}

/** A list of referrers with one more; each is in it once. */
export function listedWith(list: readonly string[] | undefined, digest: string): readonly string[] {
  return list?.includes(digest) ? list : [...(list ?? []), digest]
}

export function parseJson(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** A text field of something that may be an object. */
export function fieldOf(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null || !(name in value)) return undefined
  const field = (value as Record<string, unknown>)[name]
  return typeof field === 'string' ? field : undefined
}

export async function digestOf(bytes: StoredBytes, algorithm: string): Promise<string> {
  const hash = createHash(algorithm)
  for await (const piece of bytes.read()) hash.update(piece)
  return `${algorithm}:${hash.digest('hex')}`
}

export function bytesOf(bytes: Buffer): StoredBytes {
  return {
    size: bytes.byteLength,
    // eslint-disable-next-line @typescript-eslint/require-await -- the interface is that of files
    async *read(start, end) {
      yield bytes.subarray(start, end)
    },
  }
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
