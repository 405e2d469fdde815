import { ecrCredentials, type EcrCredentials } from '../../src/cloud/ecr.ts'
import type { EcrApi } from '../../src/cloud/ecr-api.ts'
import { AuthError, messageOf } from '../../src/errors.ts'
import { awsError, fakeEcr, tokenFor, type FakeEcr } from './fake-ecr.ts'

const HOUR_MS = 3_600_000
const IRELAND = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'
const OHIO = '123456789012.dkr.ecr.us-east-2.amazonaws.com'
const OTHER_ACCOUNT = '210987654321.dkr.ecr.eu-west-1.amazonaws.com'
const PUBLIC = 'public.ecr.aws'

interface Aws {
  readonly credentials: EcrCredentials
  readonly api: FakeEcr
  readonly opened: string[]
  readonly secrets: string[]
  nowMs: number
}

function aws(answers: Partial<EcrApi> = {}, hasIdentity = true): Aws {
  const [opened, secrets]: [string[], string[]] = [[], []]
  let made = 0
  const api = fakeEcr({
    token: () => Promise.resolve(tokenFor(`secret-${++made}`, clock.nowMs + 12 * HOUR_MS)),
    ...answers,
  })
  const clock = { nowMs: 0 }
  const credentials = ecrCredentials({
    open: ({ host }) => {
      opened.push(host)
      return Promise.resolve(api)
    },
    hasIdentity: () => Promise.resolve(hasIdentity),
    onSecret: secret => {
      secrets.push(secret)
    },
    now: () => clock.nowMs,
  })
  return Object.assign(clock, { credentials, api, opened, secrets })
}

async function passwordFor({ credentials }: Aws, host: string): Promise<string | undefined> {
  const { credential } = await credentials.find(host, 'team/app')
  return credential?.kind === 'password' ? `${credential.username}:${credential.password}` : undefined
}

test('a registry of ECR is shown the token of its own account and region', async () => {
  const one = aws()
  expect(await passwordFor(one, IRELAND)).toBe('AWS:secret-1')
  expect(await passwordFor(one, OHIO)).toBe('AWS:secret-2')
  expect(await passwordFor(one, OTHER_ACCOUNT)).toBe('AWS:secret-3')
  expect(await passwordFor(one, PUBLIC)).toBe('AWS:secret-4')
  expect(one.opened).toEqual([IRELAND, OHIO, OTHER_ACCOUNT, PUBLIC])
})

test('twenty repositories that begin at once need one token', async () => {
  const one = aws()
  const all = await Promise.all(Array.from({ length: 20 }, () => passwordFor(one, IRELAND)))
  expect(new Set(all)).toEqual(new Set(['AWS:secret-1']))
  expect(one.api.asked).toEqual(['token'])
})

test('no host of others has AWS asked for anything', async () => {
  const one = aws()
  expect(await one.credentials.find('ghcr.io', 'team/app')).toEqual({
    credential: undefined,
    from: undefined,
    lookedAt: [],
  })
  expect(one.opened).toEqual([])
})

test('both the token and its password are masked', async () => {
  const one = aws()
  await passwordFor(one, IRELAND)
  expect(one.secrets).toEqual([Buffer.from('AWS:secret-1').toString('base64'), 'secret-1'])
})

test('a run longer than the life of a token goes on with another, asked for once', async () => {
  const one = aws()
  await passwordFor(one, IRELAND)
  one.nowMs = 11 * HOUR_MS
  expect(await passwordFor(one, IRELAND)).toBe('AWS:secret-1')
  one.nowMs = 12 * HOUR_MS - 60_000
  const all = await Promise.all([passwordFor(one, IRELAND), passwordFor(one, IRELAND), passwordFor(one, IRELAND)])
  expect(all).toEqual(Array.from({ length: 3 }, () => 'AWS:secret-2'))
  expect(one.api.asked).toEqual(['token', 'token'])
})

test('a token that the registry calls expired is replaced, whatever AWS said of its end', async () => {
  const one = aws()
  await passwordFor(one, IRELAND)
  one.credentials.forget(IRELAND)
  one.credentials.forget('ghcr.io')
  expect(await passwordFor(one, IRELAND)).toBe('AWS:secret-2')
})

test('a token that was over before it was made is shown all the same, and not asked for for ever', async () => {
  const one = aws({ token: () => Promise.resolve(tokenFor('old', -1)) })
  expect(await passwordFor(one, IRELAND)).toBe('AWS:old')
  expect(await passwordFor(one, IRELAND)).toBe('AWS:old')
  expect(one.api.asked).toEqual(['token', 'token'])
})

test('a failure is not remembered', async () => {
  let failures = 1
  const one = aws({
    token: () =>
      failures-- > 0 ? Promise.reject(awsError('ServerException', 'down')) : Promise.resolve(tokenFor('x', Infinity)),
  })
  await expect(passwordFor(one, IRELAND)).rejects.toThrow('down')
  expect(await passwordFor(one, IRELAND)).toBe('AWS:x')
})

test('a private registry that AWS gives no token for fails with what AWS said and what to add', async () => {
  const refused = awsError('CredentialsProviderError', 'Could not load credentials from any providers')
  const one = aws({ token: () => Promise.reject(refused) })
  const error = await passwordFor(one, IRELAND).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(AuthError)
  expect(messageOf(error)).toBe(
    `no token for ${IRELAND} from AWS: CredentialsProviderError: Could not load credentials from any providers`,
  )
  expect(error).toMatchObject({ code: 'UNAUTHORIZED', host: IRELAND, cause: refused })
  expect((error as AuthError).hint).toMatch(/permissions: id-token: write.*role-to-assume.*configure-aws-credentials/)
})

describe('a public image is read by those', () => {
  test('whom AWS does not know, without asking', async () => {
    const one = aws({}, false)
    expect(await one.credentials.find(PUBLIC, 'docker/library/busybox')).toEqual({
      credential: undefined,
      from: undefined,
      lookedAt: ['AWS (ECR Public): no identity here'],
    })
    expect(one.opened).toEqual([])
  })

  test('whom AWS refuses', async () => {
    const one = aws({
      token: () =>
        Promise.reject(
          awsError('AccessDeniedException', 'not authorized to perform: ecr-public:GetAuthorizationToken'),
        ),
    })
    expect(await one.credentials.find(PUBLIC, 'docker/library/busybox')).toMatchObject({
      credential: undefined,
      lookedAt: [expect.stringContaining('AccessDeniedException') as string],
    })
  })

  test('whose token the registry does not want', async () => {
    expect(await aws().credentials.find(PUBLIC, 'docker/library/busybox')).toMatchObject({ implied: true })
  })
})

test('Ctrl-C does not wait for AWS', async () => {
  const controller = new AbortController()
  const one = aws({ token: () => new Promise(() => undefined) })
  const found = one.credentials.find(IRELAND, 'team/app', { signal: controller.signal })
  controller.abort(new Error('stopped'))
  await expect(found).rejects.toThrow('stopped')
  await expect(one.credentials.find(IRELAND, 'team/app', { signal: controller.signal })).rejects.toThrow('stopped')
})
