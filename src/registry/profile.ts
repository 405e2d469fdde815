import type { InputProblem } from '../errors.ts'
import { normaliseHost } from './credentials/credential.ts'

type ProfileName =
  | 'ecr'
  | 'ecr-public'
  | 'ghcr'
  | 'docker-hub'
  | 'gar'
  | 'acr'
  | 'quay'
  | 'harbor'
  | 'gitlab'
  | 'artifactory'
  | 'zot'
  | 'distribution'
  | 'generic'

/** What is known of a registry before it is asked, as far as it changes what is asked or what is told. */
export interface Profile {
  readonly name: ProfileName
  /** Whether a blob may be mounted from another repository; `false` saves the question. */
  readonly mount: boolean
  /**
   * Sizes of the chunks of an upload in pieces: no smaller, but for the last, and no larger. `never` where such uploads
   * are refused or, worse, silently cut short.
   */
  readonly chunks: 'never' | { readonly minBytes: number; readonly maxBytes: number }
  /**
   * Who keeps the list of referrers. `api`: the registry, wherever it says so. `tag`: we do, as far as is known. `probe`:
   * what the registry says has to be confirmed by asking it for a list.
   */
  readonly referrers: 'api' | 'tag' | 'probe'
  /** Whether it is worth asking for several tags in one request. */
  readonly tagsTogether: boolean
  /** Statuses and codes that refuse to move a tag because it is immutable. */
  readonly immutable: readonly (number | string)[]
  /** Tags that are asked for in one answer. */
  readonly tagsPerPage: number
  /** What to do instead, where the Distribution API of the registry deletes nothing. */
  readonly deleteInstead: string | undefined
}

const MIB = 1 << 20

const GENERIC: Profile = {
  name: 'generic',
  mount: true,
  chunks: { minBytes: 5 * MIB, maxBytes: 1024 * MIB },
  referrers: 'probe',
  tagsTogether: true,
  immutable: ['TAG_INVALID', 'PRECONDITION', 409, 412],
  tagsPerPage: 1_000,
  deleteInstead: undefined,
}

/**
 * What differs from the rest. Every line was somebody's failed push:
 *
 * - ECR answers every chunk with 201 and drops all but the first; unknown queries on a PUT cost one of ten a second.
 * - GHCR refuses chunks of more than 4 MiB with 416. It, Docker Hub, GitLab and distribution know no referrers.
 * - Artifact Registry takes no chunks at all, and Quay's were broken when last reported.
 * - Docker Hub and GitLab refuse immutable tags with 403, which elsewhere is a matter of rights.
 */
const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  ecr: {
    ...GENERIC,
    name: 'ecr',
    chunks: 'never',
    tagsTogether: false,
    immutable: ['TAG_INVALID', 'ImageTagAlreadyExistsException'],
    deleteInstead: 'aws ecr batch-delete-image',
  },
  'ecr-public': {
    ...GENERIC,
    name: 'ecr-public',
    mount: false, // fails now and then, also within one account
    chunks: 'never',
    tagsTogether: false,
    immutable: ['TAG_INVALID', 'ImageTagAlreadyExistsException'],
    deleteInstead: 'aws ecr-public batch-delete-image --region us-east-1',
  },
  ghcr: {
    ...GENERIC,
    name: 'ghcr',
    chunks: { minBytes: 4 * MIB, maxBytes: 4 * MIB },
    referrers: 'tag',
    deleteInstead: "the package's page, or GitHub's API of packages",
  },
  'docker-hub': {
    ...GENERIC,
    name: 'docker-hub',
    referrers: 'tag',
    immutable: [...GENERIC.immutable, 403],
    tagsPerPage: 100,
    deleteInstead: "the repository's page, or the API of hub.docker.com",
  },
  gar: { ...GENERIC, name: 'gar', chunks: 'never', referrers: 'api', immutable: [...GENERIC.immutable, 400, 403] },
  acr: { ...GENERIC, name: 'acr', referrers: 'api', immutable: [...GENERIC.immutable, 403, 405] },
  quay: { ...GENERIC, name: 'quay', chunks: 'never', referrers: 'api', tagsPerPage: 100 },
  harbor: { ...GENERIC, name: 'harbor', tagsPerPage: 100 },
  gitlab: { ...GENERIC, name: 'gitlab', referrers: 'tag', immutable: [...GENERIC.immutable, 403] },
  artifactory: { ...GENERIC, name: 'artifactory' },
  zot: { ...GENERIC, name: 'zot', referrers: 'api' },
  distribution: { ...GENERIC, name: 'distribution', referrers: 'tag', tagsTogether: false },
  generic: GENERIC,
}

/** First match wins; what a host is not recognised by, the user names. */
const HOSTS: readonly (readonly [host: RegExp, profile: ProfileName])[] = [
  // Every partition of AWS, and the hosts that are reached by IPv6 too.
  [/^\d{12}[.](?:dkr[.]ecr|dkr-ecr)(?:-fips)?[.][a-z0-9-]+[.]./, 'ecr'],
  [/^(?:public[.]ecr[.]aws|ecr-public[.]aws[.]com)$/, 'ecr-public'],
  [/^(?:ghcr[.]io|containers[.][a-z0-9-]+[.]ghe[.]com)$/, 'ghcr'],
  [/^docker[.]io$/, 'docker-hub'],
  [/^(?:[a-z0-9-]+-docker[.]pkg[.]dev|(?:[a-z0-9-]+[.])?gcr[.]io)$/, 'gar'],
  [/[.]azurecr[.](?:io|cn|us|de)$/, 'acr'],
  [/^quay[.]io$/, 'quay'],
  [/^registry[.]gitlab[.]com$/, 'gitlab'],
  [/[.]jfrog[.]io$/, 'artifactory'],
]

/** Profiles that the user named, by host as it is normalised. */
export type NamedProfiles = ReadonlyMap<string, ProfileName>

/** @param host normalised */
export function profileOf(host: string, named: NamedProfiles = new Map()): Profile {
  return PROFILES[named.get(host) ?? HOSTS.find(([pattern]) => pattern.test(host))?.[1] ?? 'generic']
}

/** Reads the lines of `registry-profile`, `HOST=PROFILE`. Lines with problems are left out. */
export function parseProfiles(lines: readonly string[]): {
  readonly profiles: NamedProfiles
  readonly problems: readonly InputProblem[]
} {
  const profiles = new Map<string, ProfileName>()
  const problems: InputProblem[] = []
  for (const line of lines) {
    const [, host = '', name = ''] = /^([^=/\s]+)\s*=\s*(\S+)$/.exec(line.trim()) ?? []
    if (host !== '' && isProfileName(name)) profiles.set(normaliseHost(host), name)
    else if (host === '') problems.push(problem(`"${line}" is not HOST=PROFILE`))
    else problems.push(problem(`"${name}" is not one of ${Object.keys(PROFILES).join(', ')}`))
  }
  return { profiles, problems }
}

function problem(text: string): InputProblem {
  return { input: 'registry-profile', problem: text }
}

function isProfileName(name: string): name is ProfileName {
  return Object.hasOwn(PROFILES, name)
}
