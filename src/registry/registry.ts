import { Once } from '../async/once.ts'
import { sleep as pause } from '../async/sleep.ts'
import { bytesBlob, type Blob, type ReadOptions } from '../content/blob.ts'
import type { Abortable } from '../async/abortable.ts'
import type { PushOptions, Pushed, ReferrerLister, ReferrersOptions, TagsOptions, Target } from '../content/ports.ts'
import { OciPublishError, type Side } from '../errors.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { isDigest, type Digest } from '../oci/digest.ts'
import { isManifestType } from '../oci/media-type.ts'
import type { Referrer } from '../oci/referrer.ts'
import { parseRepository } from '../oci/repository.ts'
import { parseManifestName, type Tag } from '../oci/tag.ts'
import { Access } from './access.ts'
import { deleteBlob, deleteManifest } from './delete.ts'
import { download } from './download.ts'
import type { RegistryEvent } from './event.ts'
import type { RegistryHosts } from './host.ts'
import { hasManifest, lacksChildren, putAgain, putManifest, resolveManifest, type Taken } from './manifests.ts'
import { flushReferrers, noteReferrer, readReferrer } from './referrers/keep.ts'
import type { KnownReferrers } from './referrers/known.ts'
import { listReferrers } from './referrers/list.ts'
import { listTags } from './tags/list.ts'
import { moveTags } from './tags/move.ts'
import type { UploadMode } from './upload/pieces.ts'
import { hasBlob } from './upload/session.ts'
import { uploadBlob } from './upload/upload.ts'

export interface RepositoryDeps {
  /** Shared by all repositories of a run: connections, tokens, what each registry has shown. */
  readonly hosts: RegistryHosts
  readonly side: Side
  readonly onEvent?: ((event: RegistryEvent) => void) | undefined
  /** Default: `auto`. Registries whose profile knows no pieces get none. */
  readonly upload?: UploadMode | undefined
  readonly sleep?: ((waitMs: number, signal?: AbortSignal) => Promise<void>) | undefined
  /** In [0, 1). */
  readonly random?: (() => number) | undefined
}

/** A repository, with what only registries can do. */
export interface RegistryRepository extends Target, ReferrerLister {
  readonly mountDomain: string

  /**
   * Every tag, in the order of the registry.
   *
   * @throws {RegistryError} NOT_FOUND where there is no such repository
   * @throws {OciPublishError} INVALID_TAG, TOO_LARGE
   */
  tags(options?: TagsOptions): AsyncIterable<Tag>

  /**
   * Deletes a tag and leaves its manifest, or by its digest a manifest with all its tags.
   *
   * @returns whether it was there
   * @throws {OciPublishError} DELETE_UNSUPPORTED
   */
  delete(name: string, options?: Abortable): Promise<boolean>

  /** The same for a blob. */
  deleteBlob(digest: Digest, options?: Abortable): Promise<boolean>

  /**
   * Where the registry keeps no lists of referrers, writes down what was pushed with a subject since the last time, in one
   * PUT for each subject. Does nothing where there is nothing to write; `close` does it too.
   *
   * @throws {OciPublishError} REFERRERS_TAG_TAKEN, REFERRERS_NOT_LISTED
   */
  flushReferrers(options?: Abortable): Promise<void>
}

/**
 * A repository of a registry. Nothing is asked of it before the first call.
 *
 * @throws {OciPublishError} INVALID_REPOSITORY
 */
export function openRepository(
  reference: { readonly host: string; readonly repository: string },
  { hosts, side, onEvent = (): void => undefined, upload, sleep = pause, random = Math.random }: RepositoryDeps,
): RegistryRepository {
  const access = new Access(hosts.get(reference.host), parseRepository(reference.repository), side)
  return new OpenRepository(access, { onEvent, upload, sleep, random })
}

interface Deps {
  readonly onEvent: (event: RegistryEvent) => void
  readonly upload: UploadMode | undefined
  readonly sleep: (waitMs: number, signal?: AbortSignal) => Promise<void>
  readonly random: () => number
}

/** Registries whose storage is copied behind their back: what was just pushed may be unknown for a moment. */
const LAG_RETRIES = 2
const LAG_MS = 1_000

class OpenRepository implements RegistryRepository {
  readonly place: string
  readonly mountDomain: string
  readonly #access: Access
  readonly #deps: Deps
  /** Blobs that are there, as far as they were asked for or pushed. */
  readonly #blobs = new Set<Digest>()
  /** Manifests that were pushed here, after all that they consist of. */
  readonly #pushed = new Set<Digest>()
  /** Manifests that were asked for, and whether the registry finds them. */
  readonly #found = new Map<Digest, boolean>()
  readonly #pushes = new Once<Digest, { readonly by: symbol; readonly pushed: Pushed }>()

  constructor(access: Access, deps: Deps) {
    this.place = `${access.host.name}/${access.repository}`
    this.mountDomain = access.host.name
    this.#access = access
    this.#deps = deps
  }

  async resolve(name: string, options: Abortable = {}): Promise<Descriptor> {
    const found = await resolveManifest(this.#access, parseManifestName(name), options)
    this.#found.set(found.digest, true)
    // Found by its digest it may be another repository's; what a tag leads to is this one's.
    if (!isDigest(name)) this.#tagged.add(found.digest)
    return found
  }

  open(descriptor: Descriptor, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    const { digest, mediaType } = descriptor
    const known = isManifestType(mediaType) ? this.#referrers.document(digest) : undefined
    if (known) return bytesBlob({ ...known, descriptor }).open(options)
    return download(this.#access, descriptor, options, this.#deps)
  }

  async has(descriptor: Descriptor, options: Abortable = {}): Promise<boolean> {
    options.signal?.throwIfAborted()
    const { digest, mediaType } = descriptor
    if (this.#blobs.has(digest) || this.isComplete(descriptor) || this.#found.get(digest) === true) return true
    const isManifest = isManifestType(mediaType)
    const there = await (isManifest ? hasManifest : hasBlob)(this.#access, descriptor, options)
    if (isManifest) this.#found.set(digest, there)
    else if (there) this.#blobs.add(digest)
    return there
  }

  isComplete({ digest }: Descriptor): boolean {
    return this.#pushed.has(digest) || this.#tagged.has(digest)
  }

  get #referrers(): KnownReferrers {
    return this.#access.host.referrersOf(this.#access.repository)
  }

  get #tagged(): Set<Digest> {
    return this.#access.host.taggedIn(this.#access.repository)
  }

  async push(blob: Blob, options: PushOptions = {}): Promise<Pushed> {
    options.signal?.throwIfAborted()
    const { digest } = blob.descriptor
    if (this.#blobs.has(digest) || this.isComplete(blob.descriptor)) return { how: 'exists', bytes: 0 }
    const me = Symbol(digest)
    const { by, pushed } = await this.#pushes.run(digest, async () => ({
      by: me,
      pushed: await this.#send(blob, options),
    }))
    ;(isManifestType(blob.descriptor.mediaType) ? this.#pushed : this.#blobs).add(digest)
    return by === me ? pushed : { how: 'exists', bytes: 0 } // sent once, told once
  }

  #send(blob: Blob, options: PushOptions): Promise<Pushed> {
    return isManifestType(blob.descriptor.mediaType)
      ? this.#pushManifest(blob, options)
      : uploadBlob(this.#access, blob, options, this.#deps)
  }

  async #pushManifest(blob: Blob, { onBytes, signal }: PushOptions): Promise<Pushed> {
    const { digest, size } = blob.descriptor
    const referrer = await readReferrer(blob, { signal })
    // Known once only: whoever comes again, after a failure, asks again.
    const found = this.#found.get(digest)
    this.#found.delete(digest)
    const exists = found ?? (await hasManifest(this.#access, blob.descriptor, { signal }))
    if (exists && referrer) {
      // The list of its subject tells whether this repository knows it.
      await noteReferrer(this.#access, blob, referrer, undefined, { signal }, this.#deps)
      return { how: 'exists', bytes: 0 }
    }
    const put = (): Promise<Taken | undefined> =>
      exists
        ? putAgain(this.#access, blob, digest, { signal })
        : putManifest(this.#access, blob, digest, { operation: operationOf(digest, referrer), signal })
    for (let retries = 0; ; retries++) {
      try {
        const taken = await (referrer ? this.#referrers.inTurn(referrer.subject, put) : put())
        const bytes = size * (retries + 1)
        if (exists || !taken) return { how: 'exists', bytes }
        await this.#checkName(taken, blob.descriptor, { signal })
        if (referrer) await noteReferrer(this.#access, blob, referrer, taken, { signal }, this.#deps)
        onBytes?.(size)
        return { how: 'uploaded', bytes }
      } catch (error) {
        if (retries >= LAG_RETRIES || !lacksChildren(error)) throw error
        await this.#deps.sleep(Math.round(LAG_MS * (retries + this.#deps.random())), signal)
      }
    }
  }

  /** A registry that only knows sha256 takes other digests without a word, and does not find them again. */
  async #checkName(taken: Taken, descriptor: Descriptor, options: Abortable): Promise<void> {
    if (taken.digest === undefined || taken.digest === descriptor.digest) return
    if (await hasManifest(this.#access, descriptor, options)) return
    const message = `${this.place} took ${descriptor.digest}, but keeps it as ${taken.digest} only`
    const hint = 'this registry has no sha512: push what is named by sha256'
    throw new OciPublishError('DIGEST_UNSUPPORTED', message, { hint })
  }

  async tag(manifest: Blob, names: readonly string[], options: Abortable = {}): Promise<void> {
    await moveTags(this.#access, manifest, names, options)
  }

  tags(options: TagsOptions = {}): AsyncIterable<Tag> {
    return listTags(this.#access, options)
  }

  referrers({ digest }: Descriptor, options: ReferrersOptions = {}): AsyncIterable<Descriptor> {
    return listReferrers(this.#access, digest, options)
  }

  flushReferrers(options: Abortable = {}): Promise<void> {
    return flushReferrers(this.#access, options, this.#deps)
  }

  close(options: Abortable = {}): Promise<void> {
    return this.flushReferrers(options)
  }

  async delete(name: string, options: Abortable = {}): Promise<boolean> {
    if (isDigest(name)) this.#forget(name)
    return deleteManifest(this.#access, parseManifestName(name), options)
  }

  async deleteBlob(digest: Digest, options: Abortable = {}): Promise<boolean> {
    this.#forget(digest)
    return deleteBlob(this.#access, digest, options)
  }

  #forget(digest: Digest): void {
    this.#blobs.delete(digest)
    this.#found.delete(digest)
    this.#pushed.delete(digest)
    this.#tagged.delete(digest)
    this.#pushes.forget(digest)
  }
}

/** Names the subject, too: some registries refuse a manifest because of that. */
function operationOf(digest: Digest, referrer: Referrer | undefined): string {
  return `push manifest ${digest}${referrer ? `, which refers to ${referrer.subject}` : ''}`
}
