import { algorithmOf, hexOf, type Digest } from '../oci/digest.ts'
import { formatPlatform, type Platform } from '../oci/platform.ts'
import { formatReference, type Reference, type RegistryReference } from '../oci/reference.ts'

/** in-toto attestation framework v1, resource_descriptor.md: `uri`, `digest` or both are there. */
export interface ResourceDescriptor {
  readonly name?: string
  readonly uri?: string
  /** Hexadecimal, by algorithm: `sha256`, `gitCommit`. */
  readonly digest?: Readonly<Record<string, string>>
  readonly mediaType?: string
  readonly annotations?: Readonly<Record<string, unknown>>
}

/** What a directory is a checkout of. */
export interface GitSource {
  /** Without credentials; undefined for a remote that only this machine knows, or none. */
  readonly url: string | undefined
  /** SHA-1 or SHA-256 of the commit, hexadecimal. */
  readonly commit: string
  /** `refs/heads/main`; undefined where no branch is checked out. */
  readonly ref: string | undefined
  /** Whether files of the commit were changed; undefined where that cannot be told. */
  readonly dirty: boolean | undefined
}

/** Marks a commit whose files were changed before the build. */
const MODIFIED = 'ocipublish_modified'

/** A commit, by its location as SPDX writes it: `git+https://github.com/org/app@refs/heads/main`. */
export function gitResource({ url, commit, ref, dirty }: GitSource): ResourceDescriptor {
  return {
    ...(url !== undefined && { uri: `git+${url}@${ref ?? commit}` }),
    digest: { gitCommit: commit },
    ...(dirty === true && { annotations: { [MODIFIED]: true } }),
  }
}

/**
 * An image that was built upon. The URI is how it was asked for, as BuildKit writes it
 * (`pkg:docker/alpine@3.22?platform=linux%2Famd64`); the digest is what that stood for.
 */
export function imageResource(reference: Reference, digest: Digest, platform?: Platform): ResourceDescriptor {
  return {
    ...(reference.kind === 'registry'
      ? { uri: packageUrl(reference, platform) }
      : { name: formatReference(reference) }),
    digest: digestSet(digest),
  }
}

function digestSet(digest: Digest): Readonly<Record<string, string>> {
  return { [algorithmOf(digest)]: hexOf(digest) }
}

function packageUrl({ host, repository, tag, digest }: RegistryReference, platform: Platform | undefined): string {
  // As docker calls it: nothing for Docker Hub, nothing for its library.
  const name = host === 'docker.io' ? repository.replace(/^library\//, '') : `${host}/${repository}`
  const version = tag ?? (digest === undefined ? 'latest' : undefined)
  const qualifiers = [
    ...(digest === undefined ? [] : [`digest=${encoded(digest)}`]),
    ...(platform ? [`platform=${encoded(formatPlatform(platform))}`] : []),
  ]
  const path = name.split('/').map(encoded).join('/')
  return `pkg:docker/${path}${version === undefined ? '' : `@${version}`}${qualifiers.length > 0 ? `?${qualifiers.join('&')}` : ''}`
}

/** Percent-encoded; a colon stays as it is (purl-spec, "Character encoding"). */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':')
}
