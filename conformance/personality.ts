import type { Refusal } from './server/answer.ts'
import type { AuthOptions } from './server/auth.ts'
import type { SpecRegistryOptions } from './server/registry.ts'

/** A registry as the field knows it: the choices of the specification that it makes, and where it leaves the specification. */
export interface Personality {
  /** In a sentence, for those who list them. */
  readonly about: string
  /** Begin of the names of its repositories. */
  readonly prefix: string
  readonly options: SpecRegistryOptions
  /** What it says where a tag is immutable and there; by default none is. */
  readonly immutable?: Refusal
  /** Undefined where nothing is asked of anybody. */
  readonly auth: Omit<AuthOptions, 'username' | 'password'> | undefined
}

export type PersonalityName =
  | 'spec'
  | 'distribution-2.8'
  | 'distribution-3'
  | 'zot'
  | 'ecr'
  | 'ecr-public'
  | 'ghcr'
  | 'docker-hub'
  | 'gar'
  | 'acr'
  | 'quay'
  | 'harbor'
  | 'artifactory'
  | 'gitlab'
  | 'olareg'
  | 'quay-mirror'

const MIB = 1 << 20
const HOURS = 3_600

const no = (status: number, code: Refusal['code'], message: string): Refusal => ({ status, code, message })

const DISTRIBUTION: SpecRegistryOptions = {
  location: 'absolute',
  singlePost: false,
  multiTag: false,
  referrers: false,
  sha512: false,
}

const ECR: SpecRegistryOptions = {
  location: 'absolute',
  createOnPush: false,
  singlePost: false,
  chunks: 'only-first',
  chunkStatus: 201,
  minChunkBytes: 5 * MIB,
  announcesMinChunk: false,
  uploadCancel: false,
  multiTag: false,
  blobsElsewhere: true,
  deletes: false,
  sha512: false,
  mediaTypeMissing: no(405, 'UNSUPPORTED', "Invalid parameter at 'ImageManifest' failed to satisfy constraint"),
  maxTagsAsked: 1_000,
}

/**
 * Written from what was probed, read and reported (facts of 2024 to 2026). Hosted registries change without notice: a
 * personality is a promise that somebody met a registry like this, not that it still is so.
 */
export const PERSONALITIES: Readonly<Record<PersonalityName, Personality>> = {
  spec: {
    about: 'all that the distribution-spec asks for or allows, tokens, relative Locations',
    prefix: 'team',
    options: { resumable: true },
    auth: { scheme: 'bearer' },
  },
  'distribution-2.8': {
    about: 'takes chunks in any order, forgets a session that was cut, knows no referrers and no pages',
    prefix: 'team',
    options: { ...DISTRIBUTION, chunks: 'appended', forgetsOldLocations: true, ignoresPages: true },
    auth: { scheme: 'basic' },
  },
  'distribution-3': {
    about: 'checks the order of chunks, goes on after a cut, knows no referrers',
    prefix: 'team',
    options: { ...DISTRIBUTION, resumable: true, negotiates: false },
    auth: { scheme: 'bearer', tokenSeconds: 300 },
  },
  zot: {
    about: 'one pool of blobs for all repositories, several tags in one PUT, ends a session that was cut',
    prefix: 'team',
    options: {
      blobsEverywhere: true,
      mountAnonymous: 'any',
      endsWhenCut: true,
      missingContent: 'MANIFEST_INVALID',
      negotiates: false,
    },
    auth: { scheme: 'basic', unauthorized: 'flat' },
  },
  ecr: {
    about: 'passwords, repositories that must exist, immutable tags, one chunk of several kept, downloads from S3',
    prefix: 'team',
    options: {
      ...ECR,
      repositories: ['team/app', 'team/base'],
      mount: false,
    },
    immutable: no(400, 'TAG_INVALID', 'The image tag already exists and cannot be overwritten'),
    auth: { scheme: 'basic' },
  },
  'ecr-public': {
    about: 'as ecr, with tokens, parts of 5 to 10 MiB and unreliable mounts',
    prefix: 'alias',
    options: {
      ...ECR,
      repositories: ['alias/app', 'alias/base'],
      chunks: 'checked',
      maxChunkBytes: 10 * MIB,
      mount: false,
      mountFromNowhere: no(403, 'DENIED', 'User is not authorized to mount'),
    },
    auth: { scheme: 'bearer', tokenSeconds: 12 * HOURS, anonymousPull: true },
  },
  ghcr: {
    about: 'chunks of at most 4 MiB, no referrers, tokens of five minutes',
    prefix: 'owner',
    options: {
      maxChunkBytes: 4 * MIB,
      resumable: true,
      singlePost: false,
      multiTag: false,
      referrers: false,
      deletes: false,
      blobsElsewhere: true,
      sha512: false,
    },
    auth: { scheme: 'bearer', tokenSeconds: 300, anonymousPull: true },
  },
  'docker-hub': {
    about: 'no token at all where one scope is refused, mounts from elsewhere refused with 400, no referrers',
    prefix: 'namespace',
    options: {
      location: 'absolute',
      singlePost: false,
      multiTag: false,
      referrers: false,
      deletes: false,
      blobsElsewhere: true,
      sha512: false,
      mountFromNowhere: no(400, 'NAME_INVALID', 'invalid repository name'),
      mountOrigin: no(400, 'NAME_INVALID', 'invalid repository name'),
      tagsPerPage: 100,
    },
    auth: { scheme: 'bearer', tokenSeconds: 300, anonymousPull: true, allOrNothing: true },
  },
  gar: {
    about: 'no chunks at all, repositories below one that must exist, no OAuth for tokens',
    prefix: 'project/docker',
    options: {
      createOnPush: 'below',
      repositories: ['project/docker'],
      chunks: 'refused',
      uploadStatus: false,
      singlePost: false,
      multiTag: false,
      blobsElsewhere: true,
      sha512: false,
    },
    auth: { scheme: 'bearer', tokenSeconds: HOURS, oauth: no(404, 'UNSUPPORTED', 'not found') },
  },
  acr: {
    about: 'OAuth that wants what it knows, referrers, locked tags',
    prefix: 'team',
    options: {
      singlePost: false,
      multiTag: false,
      sha512: false,
      blobsElsewhere: true,
    },
    immutable: no(405, 'DENIED', 'the operation is disallowed on this manifest: it is locked'),
    auth: { scheme: 'bearer', tokenSeconds: 75 * 60, oauth: no(400, 'UNSUPPORTED', 'grant_type is not supported') },
  },
  quay: {
    about: 'a mount must name its repository, chunks that do not add up, referrers',
    prefix: 'org',
    options: {
      chunks: 'refused',
      mountAnonymous: no(400, 'NAME_INVALID', 'invalid repository name'),
      singlePost: false,
      multiTag: false,
      sha512: false,
      blobsElsewhere: true,
      tagsPerPage: 100,
    },
    auth: { scheme: 'bearer', tokenSeconds: HOURS },
  },
  harbor: {
    about: 'projects that must exist, 401 to mounts from others, immutable tags with 412',
    prefix: 'project',
    options: {
      createOnPush: 'below',
      repositories: ['project'],
      resumable: true,
      singlePost: false,
      multiTag: false,
      sha512: false,
      mountFromNowhere: no(401, 'UNAUTHORIZED', 'project not found'),
      tagsPerPage: 100,
    },
    immutable: no(412, 'PRECONDITION', 'the tag is configured as immutable'),
    auth: { scheme: 'bearer', tokenSeconds: 30 * 60 },
  },
  artifactory: {
    about: 'says 403 of manifests that are not there, 401 to OAuth, passwords for tokens',
    prefix: 'docker-local',
    options: {
      createOnPush: 'below',
      repositories: ['docker-local'],
      location: 'absolute',
      singlePost: false,
      multiTag: false,
      sha512: false,
      absentHead: no(403, 'DENIED', 'not enough permissions to see this resource'),
    },
    auth: { scheme: 'bearer', tokenSeconds: HOURS, oauth: no(401, 'UNAUTHORIZED', 'bad credentials') },
  },
  gitlab: {
    about: 'projects that must exist, protected tags with 403, no referrers, known types of artifacts only',
    prefix: 'group/project',
    options: {
      ...DISTRIBUTION,
      createOnPush: 'below',
      repositories: ['group/project'],
      blobsElsewhere: true,
      mountFromNowhere: no(401, 'UNAUTHORIZED', 'authentication required'),
      knownTypes: [
        'application/vnd.oci.image.config.v1+json',
        'application/vnd.docker.container.image.v1+json',
        'application/vnd.cncf.helm.config.v1+json',
      ],
      indexAsSubject: 'MANIFEST_BLOB_UNKNOWN',
    },
    immutable: no(403, 'DENIED', 'the tag is protected'),
    auth: { scheme: 'bearer', tokenSeconds: 300 },
  },
  olareg: {
    about: 'lists of referrers that are read, changed and written without a lock',
    prefix: 'team',
    options: { racyReferrers: true, multiTag: false, singlePost: false },
    auth: undefined,
  },
  'quay-mirror': {
    about: 'finds by its digest a manifest that only another repository has',
    prefix: 'org',
    options: { manifestsEverywhere: true, multiTag: false, singlePost: false, sha512: false },
    auth: { scheme: 'basic' },
  },
}

export function isPersonalityName(name: string): name is PersonalityName {
  return Object.hasOwn(PERSONALITIES, name)
}
