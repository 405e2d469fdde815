import { ensureRepository, type WantedRepository } from '../../src/cloud/ecr-repository.ts'
import { OciPublishError } from '../../src/errors.ts'
import { awsError, ecrAt, fakeEcr, type FakeEcr } from './fake-ecr.ts'

const PRIVATE = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'

const wanted: WantedRepository = { tagMutability: 'immutable', scanOnPush: true }
const policies = { lifecyclePolicy: '{"rules":[]}', repositoryPolicy: '{"Statement":[]}' }

function ensure(
  api: FakeEcr,
  more: Partial<WantedRepository> = {},
  host = PRIVATE,
  repository = 'team/app',
): Promise<string> {
  return ensureRepository(ecrAt(host), repository, {
    ...wanted,
    ...more,
    open: () => Promise.resolve(api),
  })
}

test('a repository that exists needs no right but to look, and keeps its settings', async () => {
  const api = fakeEcr({ hasRepository: () => Promise.resolve(true) })
  expect(await ensure(api, policies)).toBe('exists')
  expect(api.asked).toEqual(['has team/app'])
})

test('one that does not exist is made as it is wanted, with its policies', async () => {
  const api = fakeEcr()
  expect(await ensure(api, policies)).toBe('created')
  expect(api.asked).toEqual([
    'has team/app',
    'create team/app immutable scanned',
    'lifecycle team/app {"rules":[]}',
    'policy team/app {"Statement":[]}',
  ])
})

test('when another job makes it first, that is as good, and the other has set its policies', async () => {
  const api = fakeEcr({ createRepository: () => Promise.resolve(false) })
  expect(await ensure(api, policies)).toBe('exists')
  expect(api.asked).toEqual(['has team/app', 'create team/app immutable scanned'])
})

test('in ECR Public it is named without the alias', async () => {
  const api = fakeEcr()
  expect(await ensure(api, {}, 'public.ecr.aws', 'a1b2c3/team/app')).toBe('created')
  expect(api.asked).toEqual(['has team/app', 'create team/app immutable scanned'])
})

describe('a refusal names the right that is missing', () => {
  const denied = (action: string): Error =>
    awsError('AccessDeniedException', `User: arn:aws:sts::1:x is not authorized to perform: ${action} on resource: y`)
  const no = (action: string) => (): Promise<never> => Promise.reject(denied(action))

  test.each<[what: string, api: FakeEcr, message: RegExp, hint: string]>([
    [
      'to look',
      fakeEcr({ hasRepository: no('ecr:DescribeRepositories') }),
      /could not look for it: AccessDenied/,
      'allow ecr:DescribeRepositories to the role that publishes',
    ],
    [
      'to create',
      fakeEcr({ createRepository: no('ecr:CreateRepository') }),
      /could not create it: AccessDenied/,
      'allow ecr:CreateRepository to the role that publishes',
    ],
    [
      'to set a policy of what was made',
      fakeEcr({ setLifecyclePolicy: no('ecr:PutLifecyclePolicy') }),
      /created, but could not set its lifecycle policy, and no later run will: AccessDenied/,
      'allow ecr:PutLifecyclePolicy to the role that publishes',
    ],
    [
      'even where AWS does not say which',
      fakeEcr({ setRepositoryPolicy: () => Promise.reject(awsError('AccessDeniedException', 'denied')) }),
      /created, but could not set its policy, and no later run will: AccessDenied/,
      'allow ecr:SetRepositoryPolicy to the role that publishes',
    ],
  ])('%s', async (_what, api, message, hint) => {
    const error = await ensure(api, policies).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(OciPublishError)
    expect(error).toMatchObject({ code: 'AWS_REFUSED', message: expect.stringMatching(message) as string, hint })
    expect((error as Error).message).toContain(`${PRIVATE}/team/app: `)
  })
})

test('Ctrl-C while AWS is asked is no refusal', async () => {
  const controller = new AbortController()
  const api = fakeEcr({
    hasRepository: () => {
      controller.abort(new Error('stopped'))
      return Promise.reject(awsError('AbortError', 'aborted'))
    },
  })
  const made = ensureRepository(ecrAt(PRIVATE), 'team/app', {
    ...wanted,
    open: () => Promise.resolve(api),
    signal: controller.signal,
  })
  await expect(made).rejects.toThrow('stopped')
})
