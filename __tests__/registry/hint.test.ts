import { HttpError } from '../../src/http/error.ts'
import { causeCodes, hintFor, type Complaint } from '../../src/registry/hint.ts'

const complaint = (facts: Partial<Complaint>): Complaint => ({
  side: 'target',
  host: 'reg.example.com',
  repository: 'team/app',
  operation: 'push',
  method: 'POST',
  url: '',
  status: 404,
  codes: [],
  detail: '',
  requestId: undefined,
  retriable: false,
  causes: [],
  webPage: false,
  ...facts,
})

describe('hintFor()', () => {
  test.each<[string, Partial<Complaint>, string]>([
    ...[
      ['LimitExceededException', 'The maximum number of referrers for the subject has been exceeded'],
      ['LimitExceededException', 'Referrer limit of 100 exceeded for sha256:abc'],
      ['DENIED', 'too many referrers'],
    ].map(([code = '', detail = '']): [string, Partial<Complaint>, string] => [
      `that a subject has too many referrers (${detail})`,
      { method: 'PUT', status: 400, codes: [code], detail, operation: 'push manifest sha256:abc' },
      'the image has as many referrers as this registry takes: delete old signatures',
    ]),
    [
      'what can be done where an index cannot be a subject, as at GitLab',
      {
        ...{ method: 'PUT', status: 400, codes: ['MANIFEST_BLOB_UNKNOWN'] },
        detail: 'blob unknown to registry (sha256:abc)',
        operation: 'push manifest sha256:def, which refers to sha256:abc',
      },
      'reg.example.com does not take sha256:abc as the subject of another manifest. GitLab refuses an index so: attach to its platforms instead ("--platforms all"), or sign with "signature-format: legacy"',
    ],
    [
      'what can be done where types of artifacts are few, as at GitLab',
      {
        ...{ method: 'PUT', status: 400, codes: ['MANIFEST_INVALID'], operation: 'push manifest sha256:def' },
        detail: 'manifest invalid (unknown media type: application/vnd.oci.empty.v1+json)',
      },
      'reg.example.com only takes artifacts of types that it knows, and application/vnd.oci.empty.v1+json is none of them: sign with "signature-format: legacy"',
    ],
    [
      'the command that creates a repository of ECR',
      { host: '123456789012.dkr.ecr.eu-central-1.amazonaws.com', codes: ['NAME_UNKNOWN'] },
      'create it first: aws ecr create-repository --repository-name team/app --region eu-central-1 --registry-id 123456789012, or set "ecr-create-repository: true"',
    ],
    ...[
      ['China', 'dkr.ecr.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
      ['GovCloud, by FIPS', 'dkr.ecr-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
      ["Europe's own partition", 'dkr.ecr.eusc-de-east-1.amazonaws.eu', 'eusc-de-east-1'],
      ['an agency', 'dkr.ecr.us-iso-east-1.c2s.ic.gov', 'us-iso-east-1'],
      ['a dual stack host', 'dkr-ecr.eu-west-1.on.aws', 'eu-west-1'],
      ['a dual stack host, by FIPS', 'dkr-ecr-fips.us-east-2.on.aws', 'us-east-2'],
    ].map(([where = '', host = '', region = '']): [string, Partial<Complaint>, string] => [
      `the same in ${where}`,
      { host: `123456789012.${host}`, codes: ['RepositoryNotFoundException'] },
      `aws ecr create-repository --repository-name team/app --region ${region} --registry-id 123456789012, or set`,
    ]),
    [
      'that a base of ECR has another name, instead of creating it',
      { host: '123456789012.dkr.ecr.eu-central-1.amazonaws.com', codes: ['NAME_UNKNOWN'], side: 'source' },
      'account 123456789012 has no repository "team/app" in eu-central-1',
    ],
    [
      'the command for ECR Public by its other name',
      { host: 'ecr-public.aws.com', repository: 'alias/app', codes: ['NAME_UNKNOWN'] },
      'aws ecr-public create-repository --repository-name app --region us-east-1, or set "ecr-create-repository: true"',
    ],
    [
      'the command for ECR Public',
      { host: 'public.ecr.aws', repository: 'alias/app', codes: ['NAME_UNKNOWN'] },
      'create it first: aws ecr-public create-repository --repository-name app --region us-east-1',
    ],
    ['that the login of ECR ends', { host: '1.dkr.ecr.us-east-1.amazonaws.com', status: 403 }, 'twelve hours'],
    ['the permission that a job lacks at ghcr.io', { host: 'ghcr.io', status: 403 }, 'permissions: packages: write'],
    [
      'the permission to read at ghcr.io',
      { host: 'ghcr.io', status: 403, side: 'source' },
      'permissions: packages: read',
    ],
    [
      'that a token of Docker Hub may only read',
      { host: 'docker.io', status: 401 },
      'needs "Read & Write" and its user must own "team"',
    ],
    [
      'that an image of Docker Hub may not exist',
      { host: 'docker.io', status: 401, side: 'source' },
      'docker.io/team/app does not exist, or is private',
    ],
    [
      'the command for Artifact Registry',
      { host: 'europe-west1-docker.pkg.dev', repository: 'proj/repo/app' },
      'gcloud artifacts repositories create repo --repository-format=docker --project=proj --location=europe-west1',
    ],
    [
      'that a project of Harbor is missing',
      { status: 404, codes: ['NOT_FOUND'], detail: 'project team not found' },
      'create the project "team"',
    ],
    [
      'that a project of Harbor is missing, which is no matter of credentials',
      { status: 401, codes: ['UNAUTHORIZED'], detail: 'project team not found' },
      'create the project "team"',
    ],
    [
      'that a project to read from is missing',
      { side: 'source', status: 401, codes: ['UNAUTHORIZED'], detail: 'project not found: project team not found' },
      'the registry has no project "team": is the name right?',
    ],
    [
      'that a registry is in read-only mode, as Harbor says, which is no matter of rights',
      {
        status: 403,
        codes: ['DENIED'],
        detail: 'The system is in read only mode. Any modification is prohibited.',
      },
      'reg.example.com is in read-only mode, for everybody',
    ],
    [
      'that a registry is in read-only mode, as others say',
      { status: 405, codes: ['UNSUPPORTED'], detail: 'registry is read-only' },
      'is in read-only mode',
    ],
    ['that a repository is missing', { codes: ['NAME_UNKNOWN'] }, 'create "team/app" first'],
    ['that a proxy is in the way', { status: 413 }, 'client_max_body_size'],
    [
      'that a manifest is too large, which no proxy is to blame for',
      { status: 413, method: 'PUT', operation: 'push manifest sha256:1' },
      'manifests of up to 4 MiB',
    ],
    [
      'that a quota is spent, as Harbor says',
      {
        status: 412,
        detail:
          'adding 10 MiB of storage resource, which when updated will exceed the configured upper limit of 1 GiB quota',
      },
      'there is no room left for reg.example.com/team/app',
    ],
    [
      'that a quota is spent, as 403',
      { host: 'ghcr.io', status: 403, codes: ['DENIED'], detail: 'Your storage quota has been exceeded' },
      'have the quota raised',
    ],
    [
      'that a quota is spent, as 413',
      { status: 413, detail: 'repository size quota reached' },
      'have the quota raised',
    ],
    ['that a disk is full', { status: 507, detail: 'no space left on device' }, 'no room left'],
    [
      'that a tag of ECR is immutable',
      {
        ...{ host: '1.dkr.ecr.us-east-1.amazonaws.com', method: 'PUT', operation: 'tag v1', status: 400 },
        ...{ codes: ['TAG_INVALID'], detail: "The image tag 'v1' already exists and cannot be overwritten" },
      },
      'choose a new tag, or set "on-existing-tag: skip"',
    ],
    [
      'that a tag of Harbor is immutable',
      { method: 'PUT', status: 412, codes: ['PRECONDITION'], detail: 'tag v1 configured as immutable' },
      'the tag is immutable',
    ],
    [
      'that a tag of Docker Hub is immutable, which is no matter of rights',
      { host: 'docker.io', method: 'PUT', status: 403, codes: ['DENIED'], detail: 'this tag is immutable' },
      'the tag is immutable',
    ],
    [
      'that credentials have expired',
      { status: 401, detail: 'token has expired' },
      'the credentials have expired: make new ones, or run "docker login reg.example.com" again',
    ],
    [
      'that the token of ECR has expired',
      {
        host: '1.dkr.ecr.us-east-1.amazonaws.com',
        ...{ status: 403, detail: 'Your authorization token has expired. Reauthenticate and try again.' },
      },
      'the token of ECR is valid for twelve hours: log in again',
    ],
    [
      'that something else answers in the place of a registry',
      { status: 404, webPage: true },
      'reg.example.com answered with a web page: is it a registry',
    ],
    ['that requests are limited', { status: 429 }, 'limits the rate'],
    ['how to ask for plain http', { status: 0, causes: ['UNREACHABLE', 'EPROTO'] }, '--plain-http reg.example.com'],
    [
      'how to trust an authority',
      { status: 0, causes: ['UNREACHABLE', 'DEPTH_ZERO_SELF_SIGNED_CERT'] },
      'or put it into /etc/docker/certs.d/reg.example.com/ca.crt',
    ],
    ['that a host does not exist', { status: 0, causes: ['ENOTFOUND'] }, 'is the name right?'],
    ['that nothing listens', { status: 0, causes: ['ECONNREFUSED'] }, 'is the registry running?'],
  ])('tells %s', (_name, facts, hint) => {
    expect(hintFor(complaint(facts))).toContain(hint)
  })

  test('says nothing where it knows nothing', () => {
    expect(hintFor(complaint({ status: 500 }))).toBeUndefined()
    expect(hintFor(complaint({ status: 502, webPage: true }))).toBeUndefined() // a proxy's page, while it is away
    expect(hintFor(complaint({ status: 404, codes: ['MANIFEST_UNKNOWN'] }))).toBeUndefined()
  })
})

test('causeCodes() finds what is behind an error that tried several addresses', () => {
  const inner = new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })])
  const facts = {
    code: 'UNREACHABLE',
    host: 'h',
    method: 'GET',
    url: '',
    operation: 'x',
    reason: '',
    attempts: 1,
  } as const
  const error = new HttpError({ ...facts, retriable: true }, { cause: inner })
  expect(causeCodes(error)).toEqual(['UNREACHABLE', 'ECONNREFUSED'])
})
