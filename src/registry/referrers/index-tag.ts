import type { Abortable } from '../../async/abortable.ts'
import { OciPublishError } from '../../errors.ts'
import type { Digest } from '../../oci/digest.ts'
import { parseImageIndex, type ImageIndex } from '../../oci/image-index.ts'
import { MAX_MANIFEST_BYTES } from '../../oci/manifest.ts'
import { OCI_INDEX } from '../../oci/media-type.ts'
import { parseJson } from '../../parse.ts'
import type { Access } from '../access.ts'
import { ACCEPT, mediaTypeOf } from '../manifests.ts'
import { referrersTag } from './tag.ts'

/** The list of referrers that clients keep under a tag. */
export interface IndexTag {
  readonly index: ImageIndex
  /** As it was read, with what this client does not know. */
  readonly document: { readonly manifests: readonly unknown[] }
  readonly etag: string | undefined
}

/**
 * @returns undefined where there is none yet
 * @throws {OciPublishError} REFERRERS_TAG_TAKEN where something else is under the tag
 * @see distribution-spec, "Pushing Manifests with Subject"
 */
export async function readIndexTag(
  access: Access,
  subject: Digest,
  { signal }: Abortable,
): Promise<IndexTag | undefined> {
  const tag = referrersTag(subject)
  const response = await access.ask({
    method: 'GET',
    to: access.manifest(tag),
    headers: { accept: ACCEPT },
    answers: [200, 404],
    wholeBodyBytes: MAX_MANIFEST_BYTES,
    operation: `read the referrers of ${subject}`,
    signal,
  })
  if (response.status === 404) {
    await response.discard()
    return undefined
  }
  const where = `${access.host.name}/${access.repository}:${tag}`
  const mediaType = mediaTypeOf(response)
  if (mediaType !== OCI_INDEX) {
    await response.discard()
    throw new OciPublishError('REFERRERS_TAG_TAKEN', `${where} is no image index, but ${mediaType ?? 'of no type'}`, {
      hint: `the referrers of ${subject} are kept under this tag: delete it, or give what it holds another name`,
    })
  }
  const bytes = await response.bytes(MAX_MANIFEST_BYTES)
  return {
    index: parseImageIndex(bytes, where),
    document: parseJson(bytes, where) as IndexTag['document'], // as has just been seen
    etag: response.header('etag'),
  }
}
