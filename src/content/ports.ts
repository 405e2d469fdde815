import type { Abortable } from '../async/abortable.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Tag } from '../oci/tag.ts'
import type { Blob, ReadOptions } from './blob.ts'

/** One repository, or one layout, to read from. */
export interface Source {
  /** For messages and reports: `127.0.0.1:5000/team/app`, `oci:out`. */
  readonly place: string

  /**
   * What a tag or a digest stands for.
   *
   * @throws {OciPublishError} NOT_FOUND
   */
  resolve(name: string, options?: Abortable): Promise<Descriptor>

  /**
   * The bytes of a manifest or blob, verified while they are read: the iteration throws IntegrityError at its end, or as
   * soon as there are too many bytes, if they are not what the descriptor says. From an offset they cannot be verified,
   * and are not.
   *
   * @throws {OciPublishError} NOT_FOUND
   */
  open(descriptor: Descriptor, options?: ReadOptions): AsyncIterable<Uint8Array>

  /**
   * Every tag, each once, where there is a list of them.
   *
   * @throws {OciPublishError} NOT_FOUND, TOO_LARGE, INVALID_TAG for a listed name that is not a tag unless `onOther` is given
   */
  tags?(options?: TagsOptions): AsyncIterable<Tag>
}

export interface TagsOptions extends Abortable {
  /** Told each listed name that is not a tag, as it is: print it with `quoted` only. The list goes on. */
  readonly onOther?: ((name: string) => void) | undefined
}

export interface ReferrersOptions extends Abortable {
  /** Only artifacts of this type. */
  readonly artifactType?: string | undefined
}

/** A source that knows what refers to its manifests: signatures, attestations, SBOMs. */
export interface ReferrerLister {
  /**
   * Every manifest there whose subject is this one, each once, with the type and the annotations that it gives itself.
   *
   * @see distribution-spec, "Listing Referrers"
   */
  referrers(subject: Descriptor, options?: ReferrersOptions): AsyncIterable<Descriptor>
}

/** Whether a source knows what refers to its manifests. */
export function listsReferrers<S extends Source>(source: S): source is S & ReferrerLister {
  return 'referrers' in source && typeof source.referrers === 'function'
}

/**
 * Everything that an address of the web holds, at most so many bytes.
 *
 * @throws where that is not to be had
 */
export type Download = (url: URL, options: Abortable & { readonly maxBytes: number }) => Promise<Uint8Array>

export interface PushOptions extends Abortable {
  /** Repositories on the same host that may hold the blob, likeliest first. A refused mount never fails a push. */
  readonly mountFrom?: readonly string[] | undefined
  /** Bytes that went over the wire since the last call; negative when an attempt starts over. */
  readonly onBytes?: ((delta: number) => void) | undefined
}

/** How content came to be at the target. */
export interface Pushed {
  readonly how: 'exists' | 'mounted' | 'uploaded'
  /** Bytes that went over the wire; what was sent twice counts twice. */
  readonly bytes: number
}

/** One repository, or one layout, to publish to. */
export interface Target extends Source {
  /** Whether content is there. A read of the target: a dry run may ask. */
  has(descriptor: Descriptor, options?: Abortable): Promise<boolean>

  /**
   * Whether a manifest is known to be there with all that it consists of, without asking: a tag of the same repository led to
   * it, or it was pushed in this run. A registry that finds it by its digest proves nothing: some serve so what another
   * repository has. Targets that do not have this have all of what they have.
   */
  isComplete?(manifest: Descriptor): boolean

  /**
   * Makes a blob, or a manifest by its digest, exist there by the cheapest way that works: it is there, it is mounted, it
   * is uploaded. What a manifest points at has to be there before it.
   *
   * Safe to repeat and to race: pushes of one digest share one upload.
   *
   * @throws {RegistryError} with side "target", when retries are spent
   * @throws {IntegrityError} when the bytes are not what the descriptor says; nothing is left behind
   * @see distribution-spec, "Pushing blobs", "Mounting a blob from another repository", "Pushing manifests"
   */
  push(blob: Blob, options?: PushOptions): Promise<Pushed>

  /**
   * Points every name at a manifest that is there already.
   *
   * @throws {TagError} with the names that did move
   */
  tag(manifest: Blob, names: readonly string[], options?: Abortable): Promise<void>

  /** Where else on the same host a blob may be mounted from: the key that has to be equal, undefined where none is. */
  readonly mountDomain?: string | undefined

  /** Makes what was pushed durable and visible: an archive is written here, a registry told what refers to what. */
  close?(options?: Abortable): Promise<void>
}
