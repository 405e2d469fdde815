import { OciPublishError } from '../errors.ts'
import { isDigest, type Digest } from './digest.ts'
import { MAX_NAME, isRepository, repositoryProblem } from './repository.ts'
import { isTag, tagProblem, type Tag } from './tag.ts'

/** A repository of a registry, and perhaps a tag or a digest in it. */
export interface RegistryReference {
  readonly kind: 'registry'
  /** Host and port as typed, `docker.io` where none was: `127.0.0.1:5000`, `ghcr.io`. */
  readonly host: string
  readonly repository: string
  readonly tag?: Tag
  readonly digest?: Digest
}

/** `oci:DIR[:NAME]` or `oci-archive:FILE[:NAME]`. */
interface LayoutReference {
  readonly kind: 'oci' | 'oci-archive'
  readonly path: string
  /** `org.opencontainers.image.ref.name` in its index.json, or a digest. */
  readonly name?: string
}

export type Reference = RegistryReference | LayoutReference

const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]{1,5})?$/

/**
 * Reads `[host/]repository[:tag][@digest]`, `oci:DIR[:NAME]` or `oci-archive:FILE[:NAME]`.
 *
 * As Docker does it, the first part is a host when it has a dot or a port or is `localhost`; without a host it is
 * Docker Hub, where a name of one part belongs to `library`.
 *
 * @throws {OciPublishError} INVALID_REFERENCE
 */
export function parseReference(text: string): Reference {
  const scheme = /^(oci|oci-archive):(.+)$/s.exec(text)
  if (scheme?.[1] && scheme[2] !== undefined && !/^\d+\//.test(scheme[2])) {
    return parseLayoutReference(scheme[1] as 'oci' | 'oci-archive', scheme[2])
  }
  return parseRegistryReference(text)
}

function parseLayoutReference(kind: 'oci' | 'oci-archive', rest: string): LayoutReference {
  // The last colon parts the name off, unless it belongs to a drive (C:\dir) or a path follows it.
  const at = /^(.*?)(?:@(sha(?:256|512):[0-9a-f]+)|:([^:/\\]+))?$/s.exec(rest)
  const [, path = rest, digest, tag] = at ?? []
  if (path === '') throw invalid(`${kind}:${rest}`, 'there is no path')
  if (/^[A-Za-z]$/.test(path)) return { kind, path: rest } // "C:dir", and nothing more
  const name = digest ?? tag
  return name === undefined ? { kind, path } : { kind, path, name }
}

/** @throws {OciPublishError} INVALID_REFERENCE */
export function parseRegistryReference(text: string): RegistryReference {
  const [beforeDigest = '', digest, ...more] = text.trim().split('@')
  if (more.length > 0 || (digest !== undefined && !isDigest(digest))) {
    throw invalid(text, `"${[digest, ...more].join('@')}" is not a digest such as sha256:<64 hex>`)
  }
  const [host, path] = splitHost(beforeDigest)
  if (!HOST.test(host)) throw invalid(text, `"${host}" is not a host name`)
  const colon = path.indexOf(':')
  const name = colon < 0 ? path : path.slice(0, colon)
  const tag = colon < 0 ? undefined : path.slice(colon + 1)
  if (tag !== undefined && !isTag(tag)) throw invalid(text, tagProblem(tag))
  const repository = host === 'docker.io' && name !== '' && !name.includes('/') ? `library/${name}` : name
  if (!isRepository(repository) || repository.length + host.length > MAX_NAME) {
    throw invalid(text, repositoryProblem(repository))
  }
  return {
    kind: 'registry',
    host,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  }
}

function splitHost(text: string): [host: string, path: string] {
  const slash = text.indexOf('/')
  const first = text.slice(0, slash)
  if (slash > 0 && (/[.:]/.test(first) || first === 'localhost')) {
    const hub = ['index.docker.io', 'registry-1.docker.io'].includes(first)
    return [hub ? 'docker.io' : first, text.slice(slash + 1)]
  }
  return ['docker.io', text]
}

function invalid(text: string, because: string): OciPublishError {
  return new OciPublishError('INVALID_REFERENCE', `"${text}" is not an image reference: ${because}`)
}

export function formatReference(reference: Reference): string {
  if (reference.kind !== 'registry') {
    const { kind, path, name } = reference
    return name === undefined ? `${kind}:${path}` : `${kind}:${path}${isDigest(name) ? '@' : ':'}${name}`
  }
  const { host, repository, tag, digest } = reference
  return `${host}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}
