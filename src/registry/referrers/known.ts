import { limit, type Limit } from '../../async/limit.ts'
import type { Blob } from '../../content/blob.ts'
import type { Digest } from '../../oci/digest.ts'
import type { Document } from '../../oci/manifest.ts'
import type { Referrer } from '../../oci/referrer.ts'

/** Who keeps the lists of referrers: the registry, or its clients under a tag. */
export type Keeper = 'api' | 'tag'

/** A manifest that is at the registry and has to be in the list of its subject. */
export interface Pending extends Referrer {
  readonly manifest: Blob
  /** Whether it was there before this run, so that only its list tells whether it is known in this repository. */
  readonly existed: boolean
  /** Who keeps the list of it, as far as the registry has said so. */
  readonly keeper: Keeper | undefined
}

/** Of the manifests of referrers of one repository. */
const MAX_KEPT_BYTES = 4 << 20

/** What a run knows of the referrers of one repository, and what it still has to see listed. */
export class KnownReferrers {
  /** As far as it was found out. */
  keeper: Keeper | undefined
  /** Manifests that were read because a list names them, and that do not belong to it. */
  useless = 0
  readonly #pending = new Map<Digest, Map<Digest, Pending>>()
  readonly #turns = new Map<Digest, Limit>()
  #bytes = 0
  readonly #read = new Map<Digest, Document>()
  #readBytes = 0

  /**
   * A manifest that a list names, asked for once: whoever looks for signatures lists it, reads it, and lists it again when
   * all is done. Its bytes are what its digest says; whether it is still there is for the list to say.
   */
  async read(digest: Digest, ask: () => Promise<Document>): Promise<Document> {
    const known = this.#read.get(digest)
    if (known) return known
    const document = await ask()
    const { byteLength } = document.bytes
    if (this.#readBytes + byteLength > MAX_KEPT_BYTES || this.#read.has(digest)) return document
    this.#readBytes += byteLength
    this.#read.set(digest, document)
    return document
  }

  /** One that was read already. */
  document(digest: Digest): Document | undefined {
    return this.#read.get(digest)
  }

  /**
   * Pushes of manifests with one subject, one after the other: there are registries that read its list, change it and write
   * it back, and of several at the same time all but one are lost.
   */
  inTurn<T>(subject: Digest, push: () => Promise<T>): Promise<T> {
    const turn = this.#turns.get(subject) ?? limit(1)
    this.#turns.set(subject, turn)
    return turn(push)
  }

  /** Keeps a referrer until it is listed. */
  add(one: Pending): void {
    const { subject, descriptor } = one
    const referrers = this.#pending.get(subject) ?? new Map<Digest, Pending>()
    if (!referrers.has(descriptor.digest)) this.#bytes += descriptor.size
    this.#pending.set(subject, referrers.set(descriptor.digest, one))
  }

  /** Of all that is kept. */
  get bytes(): number {
    return this.#bytes
  }

  /** Hands out what was kept, by subject. */
  take(): readonly { readonly subject: Digest; readonly all: readonly Pending[] }[] {
    const taken = [...this.#pending].map(([subject, referrers]) => ({ subject, all: [...referrers.values()] }))
    this.#pending.clear()
    this.#bytes = 0
    return taken
  }
}
