import { ecrCredentials } from '../../src/cloud/ecr.ts'
import { ensuredTarget } from '../../src/cloud/ensured-target.ts'
import { ensureRepository } from '../../src/cloud/ecr-repository.ts'
import { ecrApis } from '../../src/cloud/open-ecr-api.ts'
import type { AwsOptions } from '../../src/cloud/aws/options.ts'
import type { OpenEcrApi } from '../../src/cloud/ecr-api.ts'
import { noSigning } from '../support/no-signing.ts'
import { noCache } from '../../src/content/cache.ts'
import { messageOf } from '../../src/errors.ts'
import { createTransport } from '../../src/http/client.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { publish } from '../../src/publish/publish.ts'
import type { PublishReport } from '../../src/publish/report.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository } from '../../src/registry/registry.ts'
import { ecrAt } from '../cloud/fake-ecr.ts'
import { mappedTransport } from '../cloud/mapped-transport.ts'
import { startMoto, type Moto } from '../cloud/moto.ts'
import { startStandIn, type SeenCall } from '../cloud/stand-in.ts'
import { restoreEnv, setAwsEnv } from '../cloud/aws-env.ts'
import { scripted } from '../registry/scripted.ts'
import { tempDir } from '../layer/temp-dir.ts'
import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'

const ACCOUNT = '123456789012' // that of moto
const HOST = `${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com`
const PASSWORD = `${ACCOUNT}-auth-token` // moto gives nobody another one
const ROLE = `arn:aws:iam::${ACCOUNT}:role/publish`
const KEYS = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'key' }
const settings = { tagMutability: 'immutable', scanOnPush: true } as const
const LIFECYCLE = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 5 },
      action: { type: 'expire' },
    },
  ],
})
const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Sid: 'pull', Effect: 'Allow', Principal: '*', Action: 'ecr:BatchGetImage' }],
})

interface Client extends AsyncDisposable {
  readonly open: OpenEcrApi
  readonly secrets: string[]
}

function client(more: Partial<AwsOptions> = {}): Client {
  const transport = createTransport({ version: '0' })
  const secrets: string[] = []
  const onSecret = (secret: string): void => {
    secrets.push(secret)
  }
  const open = ecrApis({ transport, env: process.env, onSecret, ...more })
  return { open, secrets, [Symbol.asyncDispose]: () => transport.close() }
}

async function passwordOf(open: OpenEcrApi, host: string): Promise<string> {
  const credentials = ecrCredentials({ open, hasIdentity: () => Promise.resolve(true), onSecret: () => undefined })
  const { credential } = await credentials.find(host, 'team/app')
  return credential?.kind === 'password' ? `${credential.username}:${credential.password}` : ''
}

let moto: Moto
beforeAll(async () => {
  moto = await startMoto()
})
afterEach(restoreEnv)
afterAll(() => moto[Symbol.asyncDispose]())

describe('whoever the environment says is shown to AWS', () => {
  test('keys of the environment', async () => {
    setAwsEnv({ ...KEYS, AWS_ENDPOINT_URL: moto.url })
    await using aws = client()
    expect(await passwordOf(aws.open, HOST)).toBe(`AWS:${PASSWORD}`)
  })

  test('a role that is taken on with the keys of the environment', async () => {
    setAwsEnv({ ...KEYS, AWS_ENDPOINT_URL: moto.url })
    await using aws = client({ roleToAssume: ROLE })
    expect(await passwordOf(aws.open, HOST)).toBe(`AWS:${PASSWORD}`)
  })

  test('a role that is taken on with the word of GitHub for the job, without any key', async () => {
    await using github = await startStandIn(() => [200, { value: 'signed-by-github' }])
    const sts: SeenCall[] = []
    await using api = await startStandIn(call => {
      sts.push(call)
      return [200, { authorizationData: [{ authorizationToken: btoa('AWS:for-the-job'), expiresAt: 4e9 }] }]
    })
    setAwsEnv({ AWS_ENDPOINT_URL_STS: moto.url, AWS_ENDPOINT_URL_ECR: api.url })
    const env = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${github.url}/token?api-version=1`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
      GITHUB_RUN_ID: '42',
    }
    await using aws = client({ roleToAssume: ROLE, env })
    expect(await passwordOf(aws.open, HOST)).toBe('AWS:for-the-job')
    expect(github.calls).toMatchObject([
      {
        method: 'GET',
        path: '/token?api-version=1&audience=sts.amazonaws.com',
        headers: { authorization: 'Bearer request-token' },
      },
    ])
    expect(aws.secrets).toEqual(['request-token', 'signed-by-github'])
    // Signed for the region of the registry, by the keys that STS gave.
    expect(sts.map(({ headers }) => headers.authorization)).toEqual([
      expect.stringMatching(/^AWS4-HMAC-SHA256 Credential=ASIA[^,]*\/eu-west-1\/ecr\/aws4_request/),
    ])
  })

  test('nobody: what to add is said', async () => {
    using dir = tempDir()
    setAwsEnv({ HOME: dir.path, AWS_ENDPOINT_URL: moto.url })
    await using aws = client()
    const error = await passwordOf(aws.open, HOST).catch((thrown: unknown) => thrown)
    expect(messageOf(error)).toBe(
      `no token for ${HOST} from AWS: CredentialsProviderError: Could not load credentials from any providers`,
    )
    expect(error).toMatchObject({ hint: expect.stringContaining('permissions: id-token: write') as string })
  })

  test.each([
    [403, /^no token for .* from AWS: no ID token of GitHub: 127\.0\.0\.1:\d+ answered 403$/],
    [200, /^no token for .* from AWS: ID token of 127\.0\.0\.1:\d+: /],
  ])('a job whose identity GitHub does not give (status %d)', async (status, message) => {
    await using github = await startStandIn(() => [status, {}])
    setAwsEnv({ AWS_ENDPOINT_URL: moto.url })
    const env = { ACTIONS_ID_TOKEN_REQUEST_URL: github.url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token' }
    await using aws = client({ roleToAssume: ROLE, env })
    await expect(passwordOf(aws.open, HOST)).rejects.toThrow(message)
  })
})

test.each([
  `${ACCOUNT}.dkr.ecr-fips.us-gov-west-1.amazonaws.com`,
  `${ACCOUNT}.dkr-ecr.eu-west-1.on.aws`,
  `${ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn`,
])('an endpoint of the environment serves %s too', async host => {
  setAwsEnv({ ...KEYS, AWS_ENDPOINT_URL: moto.url })
  await using aws = client()
  expect(await passwordOf(aws.open, host)).toBe(`AWS:${PASSWORD}`)
})

test.each([
  [HOST, 'api.ecr.eu-west-1.amazonaws.com'],
  [`${ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn`, 'api.ecr.cn-north-1.amazonaws.com.cn'],
  [`${ACCOUNT}.dkr.ecr-fips.us-gov-west-1.amazonaws.com`, 'api.ecr-fips.us-gov-west-1.amazonaws.com'],
  [`${ACCOUNT}.dkr.ecr.eusc-de-east-1.amazonaws.eu`, 'api.ecr.eusc-de-east-1.amazonaws.eu'],
  [`${ACCOUNT}.dkr.ecr.us-iso-east-1.c2s.ic.gov`, 'api.ecr.us-iso-east-1.c2s.ic.gov'],
  [`${ACCOUNT}.dkr-ecr.eu-west-1.on.aws`, 'ecr.eu-west-1.api.aws'],
  [`${ACCOUNT}.dkr-ecr-fips.us-east-2.on.aws`, 'ecr-fips.us-east-2.api.aws'],
  ['public.ecr.aws', 'api.ecr-public.us-east-1.amazonaws.com'],
  ['ecr-public.aws.com', 'ecr-public.us-east-1.api.aws'],
])('for %s the token is asked of %s', async (host, api) => {
  setAwsEnv(KEYS)
  const asked: string[] = []
  const transport = scripted(({ url }) => {
    asked.push(new URL(url).host)
    const data = { authorizationToken: btoa('AWS:x'), expiresAt: 4e9 }
    return { status: 200, body: JSON.stringify({ authorizationData: host.includes('dkr') ? [data] : data }) }
  })
  await using aws = client({ transport })
  expect(await passwordOf(aws.open, host)).toBe('AWS:x')
  expect(asked).toEqual([api])
})

describe('repositories of private registries', () => {
  test('are encrypted as it was asked for', async () => {
    const made: unknown[] = []
    await using api = await startStandIn(({ headers, body }) => {
      if (String(headers['x-amz-target']).endsWith('CreateRepository')) made.push(JSON.parse(body))
      const missing = String(headers['x-amz-target']).endsWith('DescribeRepositories')
      return missing ? [400, { __type: 'RepositoryNotFoundException', message: 'not found' }] : [200, {}]
    })
    setAwsEnv({ ...KEYS, AWS_ENDPOINT_URL: api.url })
    await using aws = client()
    const encryptions = [
      { type: 'AES256', key: undefined },
      { type: 'KMS', key: undefined },
      { type: 'KMS_DSSE', key: 'arn:aws:kms:eu-west-1:1:key/k' },
    ] as const
    for (const encryption of encryptions) {
      await ensureRepository(ecrAt(HOST), 'made/secret', { ...settings, encryption, open: aws.open })
    }
    expect(made).toMatchObject([
      { encryptionConfiguration: { encryptionType: 'AES256' } },
      { encryptionConfiguration: { encryptionType: 'KMS' } },
      { encryptionConfiguration: { encryptionType: 'KMS_DSSE', kmsKey: 'arn:aws:kms:eu-west-1:1:key/k' } },
    ])
    setAwsEnv({ ...KEYS, AWS_ENDPOINT_URL: moto.url })
    await using mocked = client()
    const wanted = { ...settings, encryption: encryptions[1], open: mocked.open }
    expect(await ensureRepository(ecrAt(HOST), 'made/secret', wanted)).toBe('created')
  })

  test('are made once, with what was asked for', async () => {
    setAwsEnv({ ...KEYS, AWS_ENDPOINT_URL: moto.url })
    await using aws = client()
    const wanted = { ...settings, lifecyclePolicy: LIFECYCLE, repositoryPolicy: POLICY, open: aws.open }
    expect(await ensureRepository(ecrAt(HOST), 'made/once', wanted)).toBe('created')
    expect(await ensureRepository(ecrAt(HOST), 'made/once', wanted)).toBe('exists')
    const api = await aws.open(ecrAt(HOST))
    expect(await api.createRepository('made/once', settings, {})).toBe(false)
    expect(await api.hasRepository('made/never', {})).toBe(false)
  })

  test('are refused in words when the policy is none', async () => {
    setAwsEnv({ ...KEYS, AWS_ENDPOINT_URL: moto.url })
    await using aws = client()
    const wanted = { ...settings, lifecyclePolicy: '{"rules":[{}]}', open: aws.open }
    await expect(ensureRepository(ecrAt(HOST), 'made/badly', wanted)).rejects.toMatchObject({
      code: 'AWS_REFUSED',
      message: expect.stringMatching(
        /made\/badly: created, but could not set its lifecycle policy, .*: Invalid/,
      ) as string,
    })
  })
})

test('ECR Public is asked in us-east-1, and its repositories are made without the alias', async () => {
  const names = new Set<string>()
  await using api = await startStandIn(({ headers, body }) => {
    const operation = String(headers['x-amz-target']).replace(/^.*[.]/, '')
    const { repositoryName = '', repositoryNames: [asked = ''] = [] } = JSON.parse(body) as {
      readonly repositoryName?: string
      readonly repositoryNames?: readonly string[]
    }
    switch (operation) {
      case 'GetAuthorizationToken':
        return [200, { authorizationData: { authorizationToken: btoa('AWS:public'), expiresAt: 4e9 } }]
      case 'DescribeRepositories':
        return names.has(asked)
          ? [200, { repositories: [{ repositoryName: asked }] }]
          : [400, { __type: 'RepositoryNotFoundException', message: 'not found' }]
      case 'CreateRepository':
        if (names.has(repositoryName)) return [400, { __type: 'RepositoryAlreadyExistsException', message: 'exists' }]
        names.add(repositoryName)
        return [200, {}]
      default:
        return [200, {}]
    }
  })
  setAwsEnv({ ...KEYS, AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL_ECR_PUBLIC: api.url })
  await using aws = client()
  expect(await passwordOf(aws.open, 'public.ecr.aws')).toBe('AWS:public')
  const ecr = ecrAt('public.ecr.aws')
  const wanted = { ...settings, repositoryPolicy: POLICY, open: aws.open }
  expect(await ensureRepository(ecr, 'a1b2c3/team/app', wanted)).toBe('created')
  expect(await ensureRepository(ecr, 'a1b2c3/team/app', wanted)).toBe('exists')
  expect(await (await aws.open(ecr)).createRepository('team/app', settings, {})).toBe(false)
  expect([...names]).toEqual(['team/app'])
  expect(api.calls.map(({ headers }) => headers.authorization)).toEqual(
    api.calls.map(() => expect.stringContaining('/us-east-1/ecr-public/aws4_request') as string),
  )
})

describe('a publication to ECR', () => {
  interface Publication {
    readonly registry: SpecRegistry
    readonly values?: FieldValues
    readonly text?: string
    readonly onCreated?: (place: string) => void
  }

  /** As the doors wire it, with a registry on loopback in the place of ECR's. */
  async function publishTo({ registry, values = {}, text = 'one', onCreated }: Publication): Promise<PublishReport> {
    using dir = tempDir()
    dir.put({ 'project/site/index.html': text, 'temp/x': '' })
    const transport = mappedTransport(createTransport({ version: '0' }), { [HOST]: registry.url })
    const onSecret = (): void => undefined
    const open = ecrApis({ transport, env: process.env, onSecret })
    const credentials = ecrCredentials({ open, hasIdentity: () => Promise.resolve(true), onSecret })
    const hosts = new RegistryHosts({ transport, credentials })
    const given = { context: `${dir.path}/project`, images: `${HOST}/team/app`, tags: 'v1', layers: 'site/:/srv/' }
    try {
      return await publish(
        { ...given, ...values },
        {
          version: '0',
          facts: { sourceDateEpoch: '0', defaultLayout: `${dir.path}/layout` },
          cache: noCache,
          tempDir: `${dir.path}/temp`,
          locate: () => {
            throw new Error('without a base')
          },
          download: () => Promise.reject(new Error('without a chart')),
          openTarget: output => {
            if (output.kind !== 'registry') throw new Error('without a layout')
            const target = openRepository(output.image, { hosts, side: 'target' })
            return onCreated ? ensuredTarget(target, output.image, { open, settings, onCreated }) : target
          },
          commitTime: () => Promise.resolve(0),
          signing: noSigning,
          onEvent: () => undefined,
        },
      )
    } finally {
      await transport.close()
    }
  }

  const asEcr = {
    createOnPush: false,
    immutableTags: true,
    auth: { scheme: 'basic', username: 'AWS', password: PASSWORD },
  } as const

  test('shows the token that AWS gave, after the repository was made', async () => {
    setAwsEnv({ ...KEYS, AWS_ENDPOINT_URL: moto.url })
    await using registry = await startSpecRegistry({ ...asEcr, repositories: ['team/app'] })
    const pushedBefore: number[] = []
    const onCreated = (place: string): void => {
      expect(place).toBe(`${HOST}/team/app`)
      pushedBefore.push(registry.requests.filter(({ method }) => method.startsWith('P')).length)
    }
    const first = await publishTo({ registry, onCreated })
    expect(pushedBefore).toEqual([0])
    expect(first.refs).toEqual([`${HOST}/team/app:v1@${first.digest}`])
    expect(registry.tags('team/app')).toEqual(new Map([['v1', first.digest]]))

    // Again: the repository is there, and the immutable tag has the digest already.
    const mark = registry.requests.length
    await publishTo({ registry, onCreated })
    expect(pushedBefore).toHaveLength(1)
    expect(registry.requests.slice(mark).filter(({ method }) => method === 'PUT')).toEqual([])

    // Changed: the immutable tag stays, by the registry's word or by ours.
    await expect(publishTo({ registry, text: 'two' })).rejects.toThrow(/could not tag v1/)
    await expect(publishTo({ registry, text: 'two', values: { 'on-existing-tag': 'fail' } })).rejects.toMatchObject({
      code: 'TAG_EXISTS',
    })
    const { refs } = await publishTo({ registry, text: 'two', values: { 'on-existing-tag': 'skip' } })
    expect(refs).toEqual([expect.stringMatching(/team\/app@sha256:/)])
    expect(registry.tags('team/app')).toEqual(new Map([['v1', first.digest]]))
  })

  test('into a repository that nobody made says how to make it', async () => {
    setAwsEnv({ ...KEYS, AWS_ENDPOINT_URL: moto.url })
    await using registry = await startSpecRegistry(asEcr)
    await expect(publishTo({ registry })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      hint: expect.stringContaining(
        'aws ecr create-repository --repository-name team/app --region eu-west-1',
      ) as string,
    })
  })
})
