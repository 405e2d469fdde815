import type { Abortable } from '../../async/abortable.ts'
import { OciPublishError, isNotFound } from '../../errors.ts'
import type { HttpResponse } from '../../http/transport.ts'
import type { Descriptor } from '../../oci/descriptor.ts'
import type { Digest } from '../../oci/digest.ts'
import { parseImageIndex } from '../../oci/image-index.ts'
import { MAX_MANIFEST_BYTES } from '../../oci/manifest.ts'
import { OCI_INDEX } from '../../oci/media-type.ts'
import type { Access } from '../access.ts'
import { pagesOf, type PagesRequest } from '../link.ts'
import { ListBudget } from '../list-budget.ts'
import { mediaTypeOf, readManifest } from '../manifests.ts'
import { readRefusalBody } from '../refusal-body.ts'
import { readIndexTag } from './index-tag.ts'
import { referrerOf } from '../../oci/referrer.ts'

/** What registries without the API answer to it. */
const UNSUPPORTED = [400, 404, 405, 406, 410, 415, 501]

const MAX_ERROR_BYTES = 64 << 10

/** All pages of a list together, and what is read of it: each entry is another request. No honest subject has so many. */
const LIMITS = { maxBytes: 64 << 20, maxItems: 100_000, items: 'referrers' } as const
const MAX_READ = 2_000
/** Manifests of a repository that were read in a run and do not refer to what the list is of. */
const MAX_USELESS = 1_000

/** What clients that know no better write down as the type of an artifact without a config. */
const NO_TYPE = 'application/vnd.oci.empty.v1+json'

/**
 * Every manifest that refers to another, each once: from the registry's list, or from the one under a tag where the
 * registry keeps none. What is listed and does not refer to the subject, or is not there any more, is left out; what a
 * list says of types is only believed where the manifest says the same. The list is read whole before any of its manifests.
 *
 * @throws {OciPublishError} TOO_LARGE, INVALID_LIST
 * @see distribution-spec, "Listing Referrers"
 */
export async function* listReferrers(
  access: Access,
  subject: Digest,
  { artifactType, signal }: Abortable & { readonly artifactType?: string | undefined },
): AsyncGenerator<Descriptor> {
  const seen = new Set<Digest>([subject])
  const unlike = (listed: string | undefined): boolean =>
    artifactType !== undefined && listed !== undefined && listed !== artifactType
  const where = `referrers of ${access.host.name}/${access.repository}@${subject}`
  const budget = new ListBudget(where, LIMITS)
  const wanted: Descriptor[] = []
  for await (const listed of entriesOf(access, subject, budget, { artifactType, signal })) {
    budget.items(1)
    if (seen.has(listed.digest)) continue
    seen.add(listed.digest)
    if (unlike(listed.artifactType === NO_TYPE ? undefined : listed.artifactType)) continue
    wanted.push(listed)
    if (wanted.length > MAX_READ) throw new OciPublishError('TOO_LARGE', `${where}: there are more than ${MAX_READ}`)
  }
  for (const listed of wanted) {
    const referrer = await read(access, listed, { signal })
    if (referrer?.subject !== subject) countUseless(access, where)
    else if (!unlike(referrer.descriptor.artifactType ?? '')) yield { ...listed, ...referrer.descriptor }
  }
}

function countUseless(access: Access, where: string): void {
  const known = access.host.referrersOf(access.repository)
  if (++known.useless <= MAX_USELESS) return
  const message = `${where}: more than ${MAX_USELESS} manifests listed in this repository are gone or refer to something else`
  throw new OciPublishError('INVALID_LIST', message)
}

async function read(
  access: Access,
  { digest }: Descriptor,
  options: Abortable,
): Promise<ReturnType<typeof referrerOf>> {
  try {
    const known = access.host.referrersOf(access.repository)
    const { descriptor, bytes } = await known.read(digest, () => readManifest(access, digest, options))
    return referrerOf(descriptor, bytes)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** The list as it is. */
async function* entriesOf(
  access: Access,
  subject: Digest,
  budget: ListBudget,
  { artifactType, signal }: Abortable & { readonly artifactType?: string | undefined },
): AsyncGenerator<Descriptor> {
  const known = access.host.referrersOf(access.repository)
  // Where the registry is said to keep no list, one request is saved; it may have learnt to, all the same.
  const tagFirst = known.keeper === 'tag' || access.host.profile.referrers === 'tag'
  const first = tagFirst ? await readIndexTag(access, subject, { signal }) : undefined
  yield* first?.index.manifests ?? []
  if (first || known.keeper === 'tag') return
  let pages = 0
  for await (const response of pagesOf(access, requestFor(access, subject, { artifactType, signal }))) {
    if (!isList(response)) {
      if (pages > 0)
        throw await access.refused(response, { method: 'GET', operation: `list the referrers of ${subject}` })
      // What is not there yet tells nothing of what it will be.
      const { codes } = readRefusalBody(await response.excerpt(MAX_ERROR_BYTES))
      if (pages === 0 && !codes.includes('NAME_UNKNOWN')) known.keeper ??= 'tag'
      break
    }
    pages++
    known.keeper ??= 'api'
    const where = `referrers of ${access.host.name}/${access.repository}@${subject}`
    const bytes = await response.bytes(MAX_MANIFEST_BYTES)
    budget.bytes(bytes.byteLength)
    yield* parseImageIndex(bytes, where).manifests
  }
  if (pages > 0 || tagFirst) return
  yield* (await readIndexTag(access, subject, { signal }))?.index.manifests ?? []
}

/** The request for the list that a registry keeps. Without the API, the answer is no list. */
export function requestFor(
  access: Access,
  subject: Digest,
  { artifactType, signal }: Abortable & { readonly artifactType?: string | undefined },
): PagesRequest {
  const query = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`
  return {
    to: `${access.referrers(subject)}${query}`,
    headers: { accept: OCI_INDEX },
    answers: [200, ...UNSUPPORTED],
    wholeBodyBytes: MAX_MANIFEST_BYTES,
    operation: `list the referrers of ${subject}`,
    signal,
  }
}

/** A page of HTML, too, is an answer with 200. */
export function isList(response: HttpResponse): boolean {
  return response.status === 200 && mediaTypeOf(response) === OCI_INDEX
}
