import { allOrErrors } from '../../async/all-or-errors.ts'
import type { Abortable } from '../../async/abortable.ts'
import { bytesBlob, type Blob } from '../../content/blob.ts'
import { readAll } from '../../content/verify.ts'
import { OciPublishError, RegistryError } from '../../errors.ts'
import type { Descriptor } from '../../oci/descriptor.ts'
import type { Digest } from '../../oci/digest.ts'
import { MAX_MANIFEST_BYTES, toDocument } from '../../oci/manifest.ts'
import { OCI_INDEX } from '../../oci/media-type.ts'
import type { Access } from '../access.ts'
import { putManifest, type Taken } from '../manifests.ts'
import { readIndexTag, type IndexTag } from './index-tag.ts'
import { askForKeeper } from './list.ts'
import { referrerOf } from '../../oci/referrer.ts'
import { referrersTag } from './tag.ts'

/**
 * Sees to it that a pushed manifest that refers to another is listed there: where the registry does not do that, it is
 * kept until {@link flushReferrers} writes it down.
 *
 * @param taken what the registry said of the manifest; undefined where it was there before
 */
export async function noteReferrer(
  access: Access,
  manifest: Blob,
  taken: Taken | undefined,
  { signal }: Abortable,
): Promise<void> {
  const { digest, size } = manifest.descriptor
  if (size > MAX_MANIFEST_BYTES) return // none that a registry took
  const bytes = await readAll(manifest.open({ signal }), { maxBytes: size, what: digest, signal })
  const referrer = referrerOf(manifest.descriptor, bytes)
  if (!referrer || (await isListed(access, referrer.subject, taken, { signal }))) return
  access.host.referrersOf(access.repository).add(referrer)
}

/** There were registries that said OCI-Subject and kept no list: what is not known to be true is confirmed, once. */
async function isListed(
  access: Access,
  subject: Digest,
  taken: Taken | undefined,
  options: Abortable,
): Promise<boolean> {
  if (taken?.lists === false) return false
  const { referrers } = access.host.profile
  if (taken && referrers === 'api') return true
  if (!taken && referrers === 'tag') return false
  const keeper = await access.host
    .referrersOf(access.repository)
    .findKeeper(() => askForKeeper(access, subject, options))
  return keeper === 'api'
}

export interface FlushDeps {
  readonly sleep: (waitMs: number, signal?: AbortSignal) => Promise<void>
  /** In [0, 1). */
  readonly random: () => number
}

/**
 * Writes down the referrers that were kept: one PUT for each subject, and further ones only where somebody else wrote at
 * the same time. What could not be written is kept for another try.
 *
 * @throws {OciPublishError} REFERRERS_NOT_LISTED when others were quicker every time
 */
export async function flushReferrers(access: Access, { signal }: Abortable, deps: FlushDeps): Promise<void> {
  const known = access.host.referrersOf(access.repository)
  await allOrErrors(
    known.take().map(async ({ subject, descriptors }) => {
      try {
        await merge(access, subject, descriptors, { signal }, deps)
      } catch (error) {
        for (const descriptor of descriptors) known.add({ subject, descriptor })
        throw error
      }
    }),
  )
}

const ROUNDS = 5
const MIN_WAIT_MS = 200
const MAX_WAIT_MS = 800

/**
 * Nearly no registry honours conditions on a PUT, so what was written is read again after a while: two clients that wrote
 * at the same time do not wait equally long.
 */
async function merge(
  access: Access,
  subject: Digest,
  descriptors: readonly Descriptor[],
  { signal }: Abortable,
  { sleep, random }: FlushDeps,
): Promise<void> {
  let cause: unknown
  for (let round = 0; round <= ROUNDS; round++) {
    if (round > 0) await sleep(Math.round(MIN_WAIT_MS + random() * (MAX_WAIT_MS - MIN_WAIT_MS)), signal)
    const found = await readIndexTag(access, subject, { signal })
    const there = new Set(found?.index.manifests.map(({ digest }) => digest))
    const missing = descriptors.filter(({ digest }) => !there.has(digest))
    if (missing.length === 0) return
    if (round < ROUNDS) cause = await write(access, subject, found, missing, { signal })
  }
  const place = `${access.host.name}/${access.repository}:${referrersTag(subject)}`
  throw new OciPublishError('REFERRERS_NOT_LISTED', `${place}: others changed the list of referrers ${ROUNDS} times`, {
    cause,
    hint: 'run the job again, or let the jobs that attach to the same image run one after the other',
  })
}

/** @returns the refusal where the list has changed since it was read */
async function write(
  access: Access,
  subject: Digest,
  found: IndexTag | undefined,
  missing: readonly Descriptor[],
  { signal }: Abortable,
): Promise<RegistryError | undefined> {
  const tag = referrersTag(subject)
  const manifests = [...(found?.document.manifests ?? []), ...missing]
  const blank = { schemaVersion: 2, mediaType: OCI_INDEX }
  const list = toDocument(OCI_INDEX, { ...(found?.document ?? blank), mediaType: OCI_INDEX, manifests })
  if (list.descriptor.size > MAX_MANIFEST_BYTES) {
    const place = `${access.host.name}/${access.repository}:${tag}`
    throw new OciPublishError('TOO_LARGE', `${place}: the list of referrers has more than ${MAX_MANIFEST_BYTES} bytes`)
  }
  try {
    await putManifest(access, bytesBlob(list), tag, {
      headers: condition(found),
      operation: `list the referrers of ${subject}`,
      signal,
    })
    return undefined
  } catch (error) {
    if (error instanceof RegistryError && error.status === 412) return error
    throw error
  }
}

function condition(found: IndexTag | undefined): Readonly<Record<string, string>> {
  if (!found) return { 'if-none-match': '*' }
  // A weak one never matches.
  return found.etag === undefined || found.etag.startsWith('W/') ? {} : { 'if-match': found.etag }
}
