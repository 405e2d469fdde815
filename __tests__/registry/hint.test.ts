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
  ...facts,
})

describe('hintFor()', () => {
  test.each<[string, Partial<Complaint>, string]>([
    [
      'the command that creates a repository of ECR',
      { host: '123456789012.dkr.ecr.eu-central-1.amazonaws.com', codes: ['NAME_UNKNOWN'] },
      'create it first: aws ecr create-repository --repository-name team/app --region eu-central-1',
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
    ['that a repository is missing', { codes: ['NAME_UNKNOWN'] }, 'create "team/app" first'],
    ['that a proxy is in the way', { status: 413 }, 'client_max_body_size'],
    ['that requests are limited', { status: 429 }, 'limits the rate'],
    ['how to ask for plain http', { status: 0, causes: ['UNREACHABLE', 'EPROTO'] }, '--plain-http reg.example.com'],
    [
      'how to trust an authority',
      { status: 0, causes: ['UNREACHABLE', 'DEPTH_ZERO_SELF_SIGNED_CERT'] },
      'NODE_EXTRA_CA_CERTS',
    ],
    ['that a host does not exist', { status: 0, causes: ['ENOTFOUND'] }, 'is the name right?'],
    ['that nothing listens', { status: 0, causes: ['ECONNREFUSED'] }, 'is the registry running?'],
  ])('tells %s', (_name, facts, hint) => {
    expect(hintFor(complaint(facts))).toContain(hint)
  })

  test('says nothing where it knows nothing', () => {
    expect(hintFor(complaint({ status: 500 }))).toBeUndefined()
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
