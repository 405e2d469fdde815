import type { Exchange, Refusal } from './answer.ts'
import { refuse } from './answer.ts'
import { checkDigest } from './digest.ts'
import type { Store, StoredBytes } from './store.ts'

/** What a registry may choose about mounts. */
export interface MountChoices {
  /** Mounts blobs of other repositories, 201; `false` always answers 202. Default true. */
  readonly mount?: boolean | undefined
  /** Said to a mount from a repository that there is not, instead of opening a session. */
  readonly mountFromNowhere?: Refusal | undefined
  /** A mount that names no repository: opens a session, takes the blob of any, or is refused. Default `session`. */
  readonly mountAnonymous?: 'session' | 'any' | Refusal | undefined
  /** Said to a mount from another registry (`?origin=`), instead of opening a session. */
  readonly mountOrigin?: Refusal | undefined
}

/**
 * The blob that a POST mounts.
 *
 * @returns undefined where a session is to be opened
 */
export function mountedFrom(
  store: Store,
  query: Exchange['query'],
  { mount = true, mountFromNowhere, mountAnonymous = 'session', mountOrigin }: MountChoices,
): { readonly digest: string; readonly bytes: StoredBytes } | undefined {
  const asked = query.get('mount')
  if (asked === null) return undefined
  if (mountOrigin && query.has('origin')) refuse(mountOrigin)
  const digest = checkDigest(asked)
  const from = query.get('from')
  if (from === null && typeof mountAnonymous === 'object') refuse(mountAnonymous)
  const repository = from === null ? undefined : store.repositories.get(from)
  if (from !== null && !repository && mountFromNowhere) refuse(mountFromNowhere, { from })
  const bytes = from === null && mountAnonymous === 'any' ? store.anywhere(digest) : repository?.blobs.get(digest)
  return mount && bytes ? { digest, bytes } : undefined
}
