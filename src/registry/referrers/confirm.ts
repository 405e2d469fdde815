import type { Abortable } from '../../async/abortable.ts'
import { OciPublishError } from '../../errors.ts'
import type { Digest } from '../../oci/digest.ts'
import { parseImageIndex } from '../../oci/image-index.ts'
import { MAX_MANIFEST_BYTES } from '../../oci/manifest.ts'
import type { Access } from '../access.ts'
import { pagesOf } from '../link.ts'
import { ListBudget } from '../list-budget.ts'
import { putManifest } from '../manifests.ts'
import type { Pending } from './known.ts'
import { isList, requestFor } from './list.ts'

export interface ConfirmDeps {
  readonly sleep: (waitMs: number, signal?: AbortSignal) => Promise<void>
  /** In [0, 1). */
  readonly random: () => number
}

/** How often what is missing is pushed again. */
const PUSHES = 5
const MIN_WAIT_MS = 200
const MAX_WAIT_MS = 800
/** After each push that did not help twice as long, but no longer: a list may be behind. */
const LONGEST_WAIT_MS = 5_000
const MAX_NAMED = 5
/** All pages of a list together, of which nothing is kept. */
const LIMITS = { maxBytes: 64 << 20, maxItems: 100_000, items: 'referrers' } as const

/**
 * Sees to it that what refers to a subject is in the list that the registry keeps of it: looks once, and pushes again what is
 * not there. A registry may say `OCI-Subject` and lose the entry all the same, because another client pushed at the same
 * moment or because it always did; a list may also be behind, so that it is looked at twice before anything is pushed.
 *
 * After a push the list has to be right twice in a row, since another client may push again what *it* has lost.
 *
 * @returns those that clients have to list under a tag, because there is no list or the registry does not say that it lists them
 * @throws {OciPublishError} REFERRERS_NOT_LISTED, with what is missing
 */
export async function confirmListed(
  access: Access,
  subject: Digest,
  all: readonly Pending[],
  { signal }: Abortable,
  { sleep, random }: ConfirmDeps,
): Promise<readonly Pending[]> {
  const known = access.host.referrersOf(access.repository)
  const forTag = new Set<Pending>()
  let calm = false
  let pushes = 0
  for (let look = 0; ; look++) {
    const wanted = all.filter(one => !forTag.has(one))
    const listed = await listedAmong(access, subject, wanted, { signal })
    known.keeper ??= listed ? 'api' : 'tag'
    if (!listed) return all
    const missing = wanted.filter(({ descriptor }) => !listed.has(descriptor.digest))
    if (missing.length === 0 && (calm || pushes === 0)) return [...forTag]
    calm = missing.length === 0
    if (missing.length > 0 && pushes >= PUSHES) throw notListed(access, subject, missing)
    // What was pushed before this run has had time enough to show.
    if (missing.length > 0 && (look > 0 || missing.every(({ existed }) => existed))) {
      pushes++
      for (const one of missing) {
        const { descriptor, manifest } = one
        const operation = `push manifest ${descriptor.digest} again, which is not listed`
        const { lists } = await known.inTurn(subject, () =>
          putManifest(access, manifest, descriptor.digest, { operation, signal }),
        )
        if (!lists) forTag.add(one)
      }
    }
    const waitMs = (MIN_WAIT_MS + random() * (MAX_WAIT_MS - MIN_WAIT_MS)) * 2 ** pushes
    await sleep(Math.round(Math.min(waitMs, LONGEST_WAIT_MS)), signal)
  }
}

/** Which of them a registry lists; undefined where it keeps no lists. Reads no further than it has to. */
async function listedAmong(
  access: Access,
  subject: Digest,
  wanted: readonly Pending[],
  { signal }: Abortable,
): Promise<ReadonlySet<Digest> | undefined> {
  const left = new Set(wanted.map(({ descriptor }) => descriptor.digest))
  const listed = new Set<Digest>()
  const request = requestFor(access, subject, { signal })
  const where = `referrers of ${access.host.name}/${access.repository}@${subject}`
  const budget = new ListBudget(where, LIMITS)
  for await (const response of pagesOf(access, request)) {
    if (!isList(response)) {
      if (listed.size > 0) throw await access.refused(response, { ...request, method: 'GET' })
      await response.discard()
      return undefined
    }
    const bytes = await response.bytes(MAX_MANIFEST_BYTES)
    budget.bytes(bytes.byteLength)
    const { manifests } = parseImageIndex(bytes, where)
    budget.items(manifests.length)
    for (const { digest } of manifests) {
      if (left.delete(digest)) listed.add(digest)
    }
    if (left.size === 0) break
  }
  return listed
}

function notListed(access: Access, subject: Digest, missing: readonly Pending[]): OciPublishError {
  const place = `${access.host.name}/${access.repository}`
  const named = missing.slice(0, MAX_NAMED).map(({ descriptor }) => descriptor.digest)
  const more = missing.length > MAX_NAMED ? ` and ${missing.length - MAX_NAMED} more` : ''
  return new OciPublishError(
    'REFERRERS_NOT_LISTED',
    `${place}: the registry does not list ${named.join(', ')}${more} among the referrers of ${subject}, though they were pushed ${PUSHES + 1} times`,
    {
      hint: `run the job again when no other job attaches to the same image; "oci-publish discover ${place}@${subject}" shows what is listed`,
    },
  )
}
