import type { Abortable } from '../async/abortable.ts'
import { OciPublishError, RegistryError } from '../errors.ts'
import { HttpError } from '../http/error.ts'
import type { HttpResponse } from '../http/transport.ts'
import { isDigest, type Digest } from '../oci/digest.ts'
import type { Tag } from '../oci/tag.ts'
import type { Access } from './access.ts'
import { repositoryScope } from './auth/scope.ts'
import { unreachable } from './error.ts'

/**
 * Deletes a tag and leaves its manifest, or a manifest with all its tags.
 *
 * @param name tag or digest
 * @returns whether it was there
 * @throws {OciPublishError} DELETE_UNSUPPORTED where the registry does not do that
 * @see distribution-spec, "Deleting tags" and "Deleting Manifests"
 */
export function deleteManifest(access: Access, name: Tag | Digest, options: Abortable): Promise<boolean> {
  const what = isDigest(name) ? `manifest ${name}` : `tag ${name}`
  return remove(access, access.manifest(name), what, options)
}

/**
 * Deletes a blob of this repository.
 *
 * @returns whether it was there
 * @throws {OciPublishError} DELETE_UNSUPPORTED where the registry does not do that
 * @see distribution-spec, "Deleting Blobs"
 */
export function deleteBlob(access: Access, digest: Digest, options: Abortable): Promise<boolean> {
  return remove(access, access.blob(digest), `blob ${digest}`, options)
}

async function remove(access: Access, to: string, what: string, { signal }: Abortable): Promise<boolean> {
  const { side, host, repository } = access
  const request = { method: 'DELETE', to, operation: `delete ${what}`, signal }
  if (host.profile.deleteInstead !== undefined) throw unsupported(access, what, undefined)
  // A right of its own: there are token services that do not give it with the right to push.
  const want = { side, repository, scopes: [repositoryScope(repository, 'pull', 'push', 'delete')] }
  let response: HttpResponse
  try {
    response = await host.send({ ...request, want })
  } catch (error) {
    const asked = { side, host: host.name, repository, operation: request.operation, method: request.method }
    throw error instanceof HttpError ? unreachable(error, asked) : error
  }
  if ([200, 202, 204, 404].includes(response.status)) {
    await response.discard()
    return response.status !== 404
  }
  const refused = await access.refused(response, request)
  throw isUnsupported(refused, to) ? unsupported(access, what, refused) : refused
}

function isUnsupported(refused: OciPublishError, path: string): boolean {
  if (!(refused instanceof RegistryError)) return false
  if (refused.status === 405 || refused.status === 501 || refused.codes.includes('UNSUPPORTED')) return true
  // Registries that delete by digest only read a tag as one that is broken.
  return refused.status === 400 && path.includes('/manifests/') && !path.includes(':')
}

function unsupported(access: Access, what: string, cause: OciPublishError | undefined): OciPublishError {
  const { host, repository } = access
  const instead = host.profile.deleteInstead ?? 'its own tools, or enable deletion in its configuration'
  const message = `${host.name} does not delete through the Distribution API: ${what} of ${repository} is still there`
  return new OciPublishError('DELETE_UNSUPPORTED', message, { cause, hint: `use ${instead}` })
}
