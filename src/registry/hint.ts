import type { Refusal } from '../errors.ts'

/** A refusal, and what is known of it besides. */
export interface Complaint extends Refusal {
  /** Codes of the errors behind it, outermost first: `ECONNREFUSED`, `SELF_SIGNED_CERT_IN_CHAIN`. */
  readonly causes: readonly string[]
  /** A page for people came in the place of an answer. */
  readonly webPage: boolean
}

type Row = readonly [when: (complaint: Complaint) => boolean, say: (complaint: Complaint) => string]

/** In every partition of AWS: of the world, China, GovCloud, Europe's own, and those of agencies. */
const ECR = /^(\d+)[.](?:dkr[.]ecr|dkr-ecr)(?:-fips)?[.]([a-z0-9-]+)[.]/
const ECR_PUBLIC = /^(?:public[.]ecr[.]aws|ecr-public[.]aws[.]com)$/
const GAR = /(?:^|-)docker[.]pkg[.]dev$/
const PLAIN_ANSWER = ['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']
const UNTRUSTED = /SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|CERT_UNTRUSTED/

const refusedWith = ({ status, codes }: Complaint, ...any: readonly (number | string)[]): boolean =>
  any.some(one => one === status || codes.includes(String(one)))

/** In the words of Harbor, GitLab, Quay, Artifactory, cloud storage. */
const QUOTA =
  /\bquota\b|storage (?:limit|space)|(?:size|storage|space) .*exceed|exceed.* (?:limit of|storage|size limit)|insufficient storage|no space left/i
const IMMUTABLE =
  /\bimmutable\b|immutability|cannot be overwritten|already exists .*(?:overwrite|redeploy)|does not allow updating/i
const EXPIRED = /\bexpired\b/i

const ECR_CREATES = 'or set "ecr-create-repository: true"'
const isMissingInEcr = (complaint: Complaint, ecr: RegExp): boolean =>
  ecr.test(complaint.host) && refusedWith(complaint, 'NAME_UNKNOWN', 'RepositoryNotFoundException')
const mayBePermission = (complaint: Complaint): boolean => refusedWith(complaint, 401, 403)
const isManifest = ({ operation }: Complaint): boolean => /\bmanifest\b|^tag /.test(operation)

/** In the words of Amazon's registry, which takes a hundred for a subject. */
const TOO_MANY_REFERRERS =
  /too many referrers|referrers? .*(?:limit|exceed|maximum)|(?:limit|exceed|maximum|number) .*\breferrers?\b/i

/** Harbor answers so with 401, whatever the credentials. */
export function isMissingProject({ detail }: Pick<Refusal, 'detail'>): boolean {
  return /project .*not (?:be )?found/i.test(detail)
}

/** In the words of GitLab's registry, which keeps a list of the types that it takes. */
const UNKNOWN_TYPE = /unknown media type: ([\w.+/-]+)/i

/** What a refused manifest refers to, where the registry says that just this is missing. */
function refusedSubject({ operation, codes, detail }: Complaint): string | undefined {
  const [, subject = ''] = /^push manifest .*, which refers to (\S+)$/.exec(operation) ?? []
  const says = ['MANIFEST_BLOB_UNKNOWN', 'MANIFEST_UNKNOWN', 'BLOB_UNKNOWN'].some(code => codes.includes(code))
  return says && subject !== '' && detail.includes(subject) ? subject : undefined
}

/** First match wins. A new complaint from users is a new row here and a new row in the test. */
const HINTS: readonly Row[] = [
  [
    ({ side, method, status, detail }) =>
      side === 'target' && method === 'PUT' && status >= 400 && status < 500 && TOO_MANY_REFERRERS.test(detail),
    ({ host, repository }) =>
      `the image has as many referrers as this registry takes: delete old signatures and attestations of it ("oci-publish discover ${host}/${repository}@DIGEST" lists them), or sign and attest less often`,
  ],
  [
    complaint => complaint.side === 'target' && refusedSubject(complaint) !== undefined,
    complaint =>
      `${complaint.host} does not take ${refusedSubject(complaint) ?? ''} as the subject of another manifest. GitLab refuses an index so: attach to its platforms instead ("--platforms all"), or sign with "signature-format: legacy", which needs no subject`,
  ],
  [
    ({ side, method, detail }) => side === 'target' && method === 'PUT' && UNKNOWN_TYPE.test(detail),
    ({ host, detail }) =>
      `${host} only takes artifacts of types that it knows, and ${UNKNOWN_TYPE.exec(detail)?.[1] ?? 'this one'} is none of them: sign with "signature-format: legacy", which looks like an image; other artifacts need another registry, or a config of a type it knows ("artifact-config")`,
  ],
  [
    complaint => refusedWith(complaint, 403, 412, 413, 429, 507, 'DENIED') && QUOTA.test(complaint.detail),
    ({ host, repository }) =>
      `there is no room left for ${host}/${repository}: delete old images, or have the quota raised`,
  ],
  [
    complaint =>
      complaint.side === 'target' &&
      complaint.method === 'PUT' &&
      (refusedWith(complaint, 'TAG_INVALID', 'ImageTagAlreadyExistsException') ||
        (refusedWith(complaint, 400, 403, 405, 409, 412) && IMMUTABLE.test(complaint.detail))),
    () => 'the tag is immutable and points at something else: choose a new tag, or set "on-existing-tag: skip"',
  ],
  [
    ({ side, status, detail }) => side === 'target' && status >= 400 && /\bread[- ]?only\b/i.test(detail),
    ({ host }) =>
      `${host} is in read-only mode, for everybody: try again when its administrators have ended that, or ask them to`,
  ],
  [
    complaint => mayBePermission(complaint) && EXPIRED.test(complaint.detail) && ECR.test(complaint.host),
    () =>
      'the token of ECR is valid for twelve hours: log in again, or leave the login out; with AWS credentials in the environment tokens are made as they are needed',
  ],
  [
    complaint => mayBePermission(complaint) && EXPIRED.test(complaint.detail),
    ({ host }) => `the credentials have expired: make new ones, or run "docker login ${host}" again`,
  ],
  [
    complaint => complaint.side === 'source' && isMissingInEcr(complaint, ECR),
    ({ host, repository }) => {
      const [, account = '', region = ''] = ECR.exec(host) ?? []
      return `account ${account} has no repository "${repository}" in ${region}: is the name right?`
    },
  ],
  [
    complaint => isMissingInEcr(complaint, ECR),
    ({ host, repository }) => {
      const [, account = '', region = ''] = ECR.exec(host) ?? []
      return `create it first: aws ecr create-repository --repository-name ${repository} --region ${region} --registry-id ${account}, ${ECR_CREATES}`
    },
  ],
  [
    complaint => complaint.side === 'target' && isMissingInEcr(complaint, ECR_PUBLIC),
    ({ repository }) => {
      const name = repository.split('/').slice(1).join('/')
      return `create it first: aws ecr-public create-repository --repository-name ${name} --region us-east-1, ${ECR_CREATES}`
    },
  ],
  [
    complaint => ECR.test(complaint.host) && refusedWith(complaint, 403),
    () =>
      'the token of ECR is valid for twelve hours; log in again, and allow the role ecr:InitiateLayerUpload and ecr:PutImage',
  ],
  [
    complaint => complaint.host === 'ghcr.io' && complaint.side === 'target' && refusedWith(complaint, 401, 403),
    () =>
      'give the job "permissions: packages: write", and the package\'s settings must allow this repository to write',
  ],
  [
    complaint => complaint.host === 'ghcr.io' && refusedWith(complaint, 401, 403),
    () => 'give the job "permissions: packages: read", and the package\'s settings must allow this repository to read',
  ],
  [
    complaint => complaint.host === 'docker.io' && refusedWith(complaint, 401, 403, 'DENIED'),
    ({ repository, side }) =>
      side === 'target'
        ? `the access token of Docker Hub needs "Read & Write" and its user must own "${repository.split('/')[0] ?? ''}"`
        : `docker.io/${repository} does not exist, or is private and needs credentials`,
  ],
  [
    ({ host, side, status }) => GAR.test(host) && side === 'target' && status === 404,
    ({ host, repository }) => {
      const [project = '', name = ''] = repository.split('/')
      const location = host.replace(/-docker[.]pkg[.]dev$/, '')
      return `create it first: gcloud artifacts repositories create ${name} --repository-format=docker --project=${project} --location=${location}`
    },
  ],
  [
    complaint => isMissingProject(complaint) && complaint.side === 'target',
    ({ repository }) => `create the project "${repository.split('/')[0] ?? ''}" in the registry first`,
  ],
  [
    complaint => isMissingProject(complaint),
    ({ repository }) => `the registry has no project "${repository.split('/')[0] ?? ''}": is the name right?`,
  ],
  [
    complaint => complaint.side === 'target' && refusedWith(complaint, 'NAME_UNKNOWN') && complaint.method !== 'GET',
    ({ repository }) => `this registry does not create repositories on push: create "${repository}" first`,
  ],
  [complaint => complaint.status === 413 && isManifest(complaint), ({ operation }) => sizeHint(operation)],
  [
    ({ status }) => status === 413,
    () => 'a proxy in front of the registry limits the size of a request: raise it (nginx: client_max_body_size 0)',
  ],
  [
    ({ status }) => status === 429,
    () => 'the registry limits the rate of requests: log in for a higher limit, or run fewer jobs at a time',
  ],
  [
    ({ causes }) => causes.some(code => PLAIN_ANSWER.includes(code)),
    ({ host }) => `the registry does not speak https; if it is meant to be so: --plain-http ${host}`,
  ],
  [
    ({ causes }) => causes.some(code => UNTRUSTED.test(code)),
    ({ host }) =>
      `set NODE_EXTRA_CA_CERTS to a file with the certificate of the authority that signed the registry's, or put it into /etc/docker/certs.d/${host}/ca.crt`,
  ],
  [({ causes }) => causes.includes('CERT_HAS_EXPIRED'), () => "the registry's certificate has expired"],
  [({ causes }) => causes.includes('ENOTFOUND'), ({ host }) => `there is no host "${host}": is the name right?`],
  [
    ({ causes }) => causes.includes('ECONNREFUSED'),
    ({ host }) => `nothing listens at ${host}: is the registry running?`,
  ],
  [
    ({ webPage, status }) => webPage && status < 500,
    ({ host }) =>
      `${host} answered with a web page: is it a registry, or does a proxy or a login page answer in its place?`,
  ],
]

/** What to do about something that is too large, said of a manifest if it is one. */
export function sizeHint(operation: string): string {
  return /\bmanifest\b|^tag /.test(operation)
    ? 'registries take manifests of up to 4 MiB: fewer layers, shorter annotations, or an index in parts'
    : 'is this the URL of a registry?'
}

export function hintFor(complaint: Complaint): string | undefined {
  return HINTS.find(([when]) => when(complaint))?.[1](complaint)
}

const MAX_DEPTH = 8

/** The `code` of an error and of every cause below it, those of an aggregate included. */
export function causeCodes(error: unknown, depth = 0): readonly string[] {
  if (typeof error !== 'object' || error === null || depth > MAX_DEPTH) return []
  const { code, cause, errors } = error as {
    readonly code?: unknown
    readonly cause?: unknown
    readonly errors?: unknown
  }
  const below: readonly unknown[] = Array.isArray(errors) ? errors : [cause]
  return [...(typeof code === 'string' ? [code] : []), ...below.flatMap(one => causeCodes(one, depth + 1))]
}
