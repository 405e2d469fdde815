import type { Blob } from '../content/blob.ts'
import type { Abortable } from '../async/abortable.ts'
import { IntegrityError, OciPublishError, RegistryError, isNotFound } from '../errors.ts'
import type { HttpResponse } from '../http/transport.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { algorithmOf, hexOf, isDigest, type Digest } from '../oci/digest.ts'
import { MAX_MANIFEST_BYTES, type Document } from '../oci/manifest.ts'
import { DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../oci/media-type.ts'
import { isTag, type Tag } from '../oci/tag.ts'
import { createHash } from 'node:crypto'
import type { Access, AccessRequest } from './access.ts'

/** All of them every time: what is missing is converted by some registries, and not found in others. */
export const ACCEPT: string = [OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST, '*/*;q=0.1'].join(', ')

/** Answers to HEAD after which GET may know better: not allowed, or a refusal whose reason only a body tells. */
const UNTOLD = [400, 401, 403, 405]

/**
 * What a tag or digest stands for, by HEAD where that tells enough: Docker Hub counts a GET as a pull.
 *
 * @see distribution-spec, "Checking if content exists in the registry"
 */
export async function resolveManifest(access: Access, name: Tag | Digest, { signal }: Abortable): Promise<Descriptor> {
  const request = {
    to: access.manifest(name),
    headers: { accept: ACCEPT },
    operation: `read manifest ${name}`,
    signal,
  }
  const head = await access.ask({ ...request, method: 'HEAD', answers: [200, ...UNTOLD] })
  await head.discard()
  const told = head.status === 200 ? describe(head, name) : undefined
  if (told) return told
  return (await readManifest(access, name, { signal })).descriptor
}

/**
 * A manifest whole, by a tag or a digest.
 *
 * @throws {IntegrityError} when it is not what the digest says
 * @see distribution-spec, "Pulling manifests"
 */
export async function readManifest(access: Access, name: Tag | Digest, { signal }: Abortable): Promise<Document> {
  const response = await access.ask({
    method: 'GET',
    to: access.manifest(name),
    headers: { accept: ACCEPT },
    answers: [200],
    wholeBodyBytes: MAX_MANIFEST_BYTES,
    operation: `read manifest ${name}`,
    signal,
  })
  const bytes = await response.bytes(MAX_MANIFEST_BYTES)
  const algorithm = isDigest(name) ? algorithmOf(name) : 'sha256'
  const digest = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
  const place = `${access.host.name}/${access.repository}`
  if (isDigest(name) && digest !== name) throw new IntegrityError(`${place}@${name}`, name, digest)
  const mediaType = mediaTypeOf(response)
  if (mediaType === undefined || !isDigest(digest)) {
    throw new OciPublishError('INVALID_DOCUMENT', `${place}: ${name} has no content type`)
  }
  return { bytes, descriptor: { mediaType, digest, size: bytes.byteLength } }
}

/** Undefined where the headers do not tell, or tell nonsense. */
function describe(response: HttpResponse, name: Tag | Digest): Descriptor | undefined {
  const mediaType = mediaTypeOf(response)
  const digest = response.header('docker-content-digest') ?? (isDigest(name) ? name : undefined)
  const size = Number(response.header('content-length') ?? 0)
  if (mediaType === undefined || digest === undefined || !isDigest(digest)) return undefined
  // Some registries answer HEAD with a length of 0; a manifest is never empty.
  if (!Number.isSafeInteger(size) || size <= 0) return undefined
  return isDigest(name) && name !== digest ? undefined : { mediaType, digest, size }
}

/** What an answer says its body is; undefined where that is nothing. */
export function mediaTypeOf(response: HttpResponse): string | undefined {
  const mediaType = response.header('content-type')?.split(';')[0]?.trim()
  return mediaType === undefined || mediaType === '' || mediaType === 'application/octet-stream' ? undefined : mediaType
}

/** What a registry says of a manifest that it took. */
export interface Taken {
  /** By which it keeps the manifest, where it says so. */
  readonly digest: Digest | undefined
  /** Tags that it says it moved besides (`OCI-Tag`). */
  readonly tags: readonly Tag[]
  /** Whether it says that it lists the manifest among the referrers of its subject (`OCI-Subject`). */
  readonly lists: boolean
}

export interface PutOptions extends Abortable, Pick<AccessRequest, 'operation' | 'headers'> {
  /** Tags to move in the same request (end-7b). */
  readonly tags?: readonly Tag[] | undefined
}

/**
 * PUT of a manifest, under its digest or under a tag.
 *
 * @param under a digest or a tag
 * @throws {IntegrityError} when the registry made another digest of the same bytes
 * @see distribution-spec, "Pushing manifests" and "Pushing Manifests with Subject"
 */
export async function putManifest(
  access: Access,
  blob: Blob,
  under: Tag | Digest,
  { signal, operation, headers, tags: besides = [] }: PutOptions,
): Promise<Taken> {
  const { descriptor } = blob
  const response = await access.ask({
    method: 'PUT',
    to: `${access.manifest(under)}${queryOf(besides)}`,
    headers: { ...headers, 'content-type': descriptor.mediaType },
    body: { size: descriptor.size, open: options => blob.open(options) },
    answers: [200, 201, 202, 204],
    operation,
    signal,
  })
  await response.discard()
  const said = response.header('docker-content-digest')
  const digest = said !== undefined && isDigest(said) ? said : undefined
  if (digest !== undefined && !(await isDigestOf(digest, blob, { signal }))) {
    throw new IntegrityError(`${access.host.name}/${access.repository}:${under}`, descriptor.digest, digest)
  }
  const tags = response
    .headerValues('oci-tag')
    .flatMap(value => value.split(','))
    .map(tag => tag.trim())
    .filter(isTag)
  return { digest, tags, lists: response.header('oci-subject') !== undefined }
}

function queryOf(tags: readonly Tag[]): string {
  return tags.length === 0 ? '' : `?${tags.map(tag => `tag=${encodeURIComponent(tag)}`).join('&')}`
}

/** Refusals of what is there already: to overwrite is a right of its own at some registries. */
const TAKES_NOTHING_TWICE: ReadonlySet<number> = new Set([400, 403, 405, 409, 412])

/**
 * PUT of a manifest that the registry finds by its digest already, so that it is in *this* repository with all that it points
 * at: some registries serve by its digest what another repository has, but look at its parts when it is pushed.
 *
 * @returns undefined where the registry refuses it because it is there
 * @throws {RegistryError} as `putManifest` does, where parts of it are missing above all
 */
export async function putAgain(
  access: Access,
  blob: Blob,
  digest: Digest,
  { signal }: Abortable,
): Promise<Taken | undefined> {
  try {
    return await putManifest(access, blob, digest, { operation: `push manifest ${digest}`, signal })
  } catch (error) {
    const refused = error instanceof RegistryError && TAKES_NOTHING_TWICE.has(error.status) && !lacksChildren(error)
    if (!refused) throw error
    return undefined
  }
}

/** Whether a digest is one of the manifest: many a registry names by sha256 what has its name by sha512. */
export async function isDigestOf(digest: Digest, blob: Blob, { signal }: Abortable): Promise<boolean> {
  const own = blob.descriptor.digest
  if (algorithmOf(digest) === algorithmOf(own)) return digest === own
  const hash = createHash(algorithmOf(digest))
  for await (const chunk of blob.open({ signal })) hash.update(chunk)
  return hash.digest('hex') === hexOf(digest)
}

/** Whether a manifest is there, by its digest. */
export async function hasManifest(access: Access, { digest }: Descriptor, options: Abortable): Promise<boolean> {
  try {
    return (await resolveManifest(access, digest, options)).digest === digest
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

/** Whether a refused manifest lacks, in the registry's view, what may have been pushed a moment ago. */
export function lacksChildren(error: unknown): boolean {
  if (!(error instanceof RegistryError)) return false
  return ['MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN', 'MANIFEST_UNKNOWN'].some(code => error.codes.includes(code))
}
