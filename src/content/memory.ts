import { OciPublishError } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { isDigest, type Digest } from '../oci/digest.ts'
import { bytesBlob, type Blob } from './blob.ts'
import type { Pushed, Target } from './ports.ts'
import { readAll, verified } from './verify.ts'

/** A target in memory, for tests and for what is too small to store. */
export class MemoryStore implements Target {
  readonly place: string
  readonly #blobs = new Map<Digest, { readonly descriptor: Descriptor; readonly bytes: Uint8Array }>()
  readonly #names = new Map<string, Descriptor>()

  constructor(place = 'memory') {
    this.place = place
  }

  resolve(name: string): Promise<Descriptor> {
    const found = isDigest(name) ? this.#blobs.get(name)?.descriptor : this.#names.get(name)
    if (found) return Promise.resolve(found)
    return Promise.reject(new OciPublishError('NOT_FOUND', `${this.place} has no "${name}"`))
  }

  async *open(descriptor: Descriptor, options?: { offset?: number; signal?: AbortSignal }): AsyncIterable<Uint8Array> {
    const found = this.#blobs.get(descriptor.digest)
    if (!found) throw new OciPublishError('NOT_FOUND', `${this.place} has no ${descriptor.digest}`)
    yield* bytesBlob(found).open(options)
  }

  has({ digest }: Descriptor): Promise<boolean> {
    return Promise.resolve(this.#blobs.has(digest))
  }

  async push(blob: Blob, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<Pushed> {
    const { descriptor } = blob
    if (this.#blobs.has(descriptor.digest)) return { how: 'exists', bytes: 0 }
    const from = verified(blob.open({ signal }), descriptor, descriptor.digest)
    const bytes = await readAll(from, { maxBytes: descriptor.size, what: descriptor.digest, signal })
    this.#blobs.set(descriptor.digest, { descriptor, bytes })
    return { how: 'uploaded', bytes: bytes.byteLength }
  }

  tag({ descriptor }: Blob, names: readonly string[]): Promise<void> {
    for (const name of names) this.#names.set(name, descriptor)
    return Promise.resolve()
  }
}
