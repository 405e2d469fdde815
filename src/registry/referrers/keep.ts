import { allOrErrors } from '../../async/all-or-errors.ts'
import type { Abortable } from '../../async/abortable.ts'
import { bytesBlob, type Blob } from '../../content/blob.ts'
import { readAll } from '../../content/verify.ts'
import { OciPublishError, RegistryError } from '../../errors.ts'
import type { Descriptor } from '../../oci/descriptor.ts'
import type { Digest } from '../../oci/digest.ts'
import { MAX_MANIFEST_BYTES, toDocument } from '../../oci/manifest.ts'
import { OCI_INDEX } from '../../oci/media-type.ts'
import { referrerOf, type Referrer } from '../../oci/referrer.ts'
import type { Access } from '../access.ts'
import { putAgain, putManifest, type Taken } from '../manifests.ts'
import { readIndexTag, type IndexTag } from './index-tag.ts'
import { confirmListed, type ConfirmDeps } from './confirm.ts'
import type { Keeper, KnownReferrers, Pending } from './known.ts'
import { referrersTag } from './tag.ts'

/** More than this is not kept to be seen listed later. */
const MAX_PENDING_BYTES = 32 << 20

/** What a manifest says that it refers to; undefined for one that refers to nothing. */
export async function readReferrer(manifest: Blob, { signal }: Abortable): Promise<Referrer | undefined> {
  const { digest, size } = manifest.descriptor
  if (size > MAX_MANIFEST_BYTES) return undefined // none that a registry takes
  const bytes = await readAll(manifest.open({ signal }), { maxBytes: size, what: digest, signal })
  return referrerOf(manifest.descriptor, bytes)
}

/**
 * Remembers that a manifest has to be in the list of its subject, until {@link flushReferrers} has seen it there or has
 * written it down.
 *
 * @param taken what the registry said of the manifest; undefined where it was there before
 */
export async function noteReferrer(
  access: Access,
  manifest: Blob,
  referrer: Referrer,
  taken: Taken | undefined,
  options: Abortable,
  deps: FlushDeps,
): Promise<void> {
  const known = access.host.referrersOf(access.repository)
  const keeper = taken?.lists === false ? 'tag' : undefined
  known.add({ ...referrer, manifest, existed: taken === undefined, keeper })
  if (known.bytes > MAX_PENDING_BYTES) await flushReferrers(access, options, deps)
}

export type FlushDeps = ConfirmDeps

/**
 * Sees to it that the referrers that were noted are listed: one request for each subject where the registry keeps the lists,
 * one more for what is not in them; where it keeps none, one PUT for each subject, and further ones only where somebody else
 * wrote at the same time. What could not be listed is kept for another try.
 *
 * @throws {OciPublishError} REFERRERS_NOT_LISTED when the registry loses them, or others were quicker, every time
 */
export async function flushReferrers(access: Access, options: Abortable, deps: FlushDeps): Promise<void> {
  const known = access.host.referrersOf(access.repository)
  const each = async ({ subject, all }: Taking): Promise<void> => {
    try {
      await list(access, subject, all, options, deps)
    } catch (error) {
      for (const one of all) known.add(one)
      throw error
    }
  }
  // Who keeps the lists is found out with the first, where it is not known.
  const [first, ...others] = known.take()
  const alone = known.keeper === undefined && others.length > 0
  const begun = first && each(first)
  if (alone) await begun?.catch(() => undefined)
  await allOrErrors([...(begun ? [begun] : []), ...others.map(each)])
}

type Taking = ReturnType<KnownReferrers['take']>[number]

async function list(
  access: Access,
  subject: Digest,
  all: readonly Pending[],
  options: Abortable,
  deps: FlushDeps,
): Promise<void> {
  const byTag = all.filter(one => keeperOf(access, one) === 'tag')
  const byApi = all.filter(one => !byTag.includes(one))
  // There were registries that said OCI-Subject and kept no list.
  const unlisted = byApi.length > 0 ? await confirmListed(access, subject, byApi, options, deps) : []
  const forTag = [...byTag, ...unlisted]
  if (forTag.length > 0) await merge(access, subject, forTag, options, deps)
}

/** Who is to be asked for the list first. */
function keeperOf(access: Access, { keeper, existed }: Pending): Keeper {
  if (keeper) return keeper
  const { profile } = access.host
  const known = access.host.referrersOf(access.repository).keeper
  return known ?? (existed && profile.referrers === 'tag' ? 'tag' : 'api')
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
  all: readonly Pending[],
  { signal }: Abortable,
  { sleep, random }: FlushDeps,
): Promise<void> {
  let cause: unknown
  for (let round = 0; round <= ROUNDS; round++) {
    if (round > 0) await sleep(Math.round(MIN_WAIT_MS + random() * (MAX_WAIT_MS - MIN_WAIT_MS)), signal)
    const found = await readIndexTag(access, subject, { signal })
    const there = new Set(found?.index.manifests.map(({ digest }) => digest))
    const missing = all.filter(({ descriptor }) => !there.has(descriptor.digest))
    if (missing.length === 0) return
    if (round === 0) await pushUnproven(access, subject, missing, { signal })
    const descriptors = missing.map(({ descriptor }) => descriptor)
    if (round < ROUNDS) cause = await write(access, subject, found, descriptors, { signal })
  }
  const place = `${access.host.name}/${access.repository}:${referrersTag(subject)}`
  throw new OciPublishError('REFERRERS_NOT_LISTED', `${place}: others changed the list of referrers ${ROUNDS} times`, {
    cause,
    hint: 'run the job again, or let the jobs that attach to the same image run one after the other',
  })
}

/** That a manifest is found by its digest does not prove that this repository has it: it may be another's. */
async function pushUnproven(
  access: Access,
  subject: Digest,
  missing: readonly Pending[],
  { signal }: Abortable,
): Promise<void> {
  const known = access.host.referrersOf(access.repository)
  for (const { manifest, descriptor } of missing.filter(({ existed }) => existed)) {
    await known.inTurn(subject, () => putAgain(access, manifest, descriptor.digest, { signal }))
  }
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
