import type { Abortable } from '../async/abortable.ts'
import { OciPublishError, type Side } from '../errors.ts'
import { HttpError } from '../http/error.ts'
import type { HttpResponse } from '../http/transport.ts'
import type { Digest } from '../oci/digest.ts'
import { quoted } from '../oci/quoted.ts'
import type { Repository } from '../oci/repository.ts'
import type { Tag } from '../oci/tag.ts'
import type { Want } from './auth/authorizer.ts'
import { repositoryScope } from './auth/scope.ts'
import { isWebPage, refusalOf, unreachable, withCredentials, type Asked } from './error.ts'
import type { HostRequest, RegistryHost } from './host.ts'

export interface AccessRequest extends Omit<HostRequest, 'want'> {
  /** Statuses that are answers; every other one is thrown. */
  readonly answers: readonly number[]
  /** Repository of the same host that is read besides: the source of a mount. */
  readonly reads?: Repository | undefined
  /** How long the request will take, so that the token does not end before. */
  readonly lastsMs?: number | undefined
  /** Told the answer that is thrown, before it is read. */
  readonly onRefused?: ((response: HttpResponse) => void) | undefined
}

/** Requests to one repository, in one role, and the errors of that role. */
export class Access {
  readonly host: RegistryHost
  readonly repository: Repository
  readonly side: Side
  /** Whether the registry has answered any request of this repository. */
  #answered = false

  constructor(host: RegistryHost, repository: Repository, side: Side) {
    this.host = host
    this.repository = repository
    this.side = side
  }

  // The paths of the Distribution API. All are made here, of parts that were parsed: none leads out of the repository.

  /** Of all that is in the repository. */
  get root(): string {
    return `/v2/${this.repository}/`
  }

  /** Of a manifest, or of a tag. */
  manifest(name: Tag | Digest): string {
    return `${this.root}manifests/${name}`
  }

  blob(digest: Digest): string {
    return `${this.root}blobs/${digest}`
  }

  /** Where uploads are opened. */
  get uploads(): string {
    return `${this.root}blobs/uploads/`
  }

  get tags(): string {
    return `${this.root}tags/list`
  }

  referrers(subject: Digest): string {
    return `${this.root}referrers/${subject}`
  }

  /**
   * @throws {RegistryError} for every status that is not an answer, and for none at all
   * @throws {AuthError} when it is a matter of credentials
   */
  async ask({ answers, reads, lastsMs, onRefused, ...request }: AccessRequest): Promise<HttpResponse> {
    // With the check of the endpoint that URL parsing changes nothing: no path of ours leaves the repository.
    if (typeof request.to === 'string' && !request.to.startsWith(this.root)) {
      throw new OciPublishError('INVALID_PATH', `${quoted(request.to)} is not a path of ${this.repository}`)
    }
    const want: Want = {
      side: this.side,
      repository: this.repository,
      scopes: [repositoryScope(this.repository, 'pull', ...(this.side === 'target' ? (['push'] as const) : []))],
      extra: reads === undefined ? undefined : [repositoryScope(reads, 'pull')],
      lastsMs,
    }
    let response: HttpResponse
    try {
      response = await this.host.send({ ...request, want })
    } catch (error) {
      throw error instanceof HttpError ? unreachable(error, this.#asked(request)) : error
    }
    if (answers.includes(response.status) && !isPageInstead(response, request)) {
      if (response.status !== 401 && response.status !== 403) this.#answered = true
      return response
    }
    onRefused?.(response)
    throw await this.refused(response, request)
  }

  /** The error for an answer that is a refusal. */
  async refused(
    response: HttpResponse,
    request: Abortable & { readonly method: string; readonly operation: string },
  ): Promise<OciPublishError> {
    const refusal = await refusalOf(response, this.#asked(request))
    const credential = await this.host.credential(this.repository, { signal: request.signal })
    // Who asks for a token although one was shown has given it: the service that makes them refuses wrong passwords.
    const granted = response.headerValues('www-authenticate').some(value => /^\s*bearer\b/i.test(value))
    return withCredentials(refusal, credential, { granted, answered: this.#answered })
  }

  #asked({ method, operation }: { readonly method: string; readonly operation: string }): Asked {
    return { side: this.side, host: this.host.name, repository: this.repository, operation, method }
  }
}

/**
 * Whether a page came in the place of an answer, as login pages and captive portals serve with 200 to everybody: nothing
 * is there because of it. Storage may serve a blob as anything, Quay calls empty answers pages, and who lists referrers
 * looks at the type itself: without the API there is the tag.
 */
function isPageInstead(response: HttpResponse, { method, to }: Pick<AccessRequest, 'method' | 'to'>): boolean {
  if (response.status !== 200 || !isWebPage(response)) return false
  if (response.header('docker-content-digest') !== undefined) return false
  const path = typeof to === 'string' ? to : to.pathname
  return path.includes('/manifests/') || (method !== 'GET' && path.includes('/blobs/'))
}
