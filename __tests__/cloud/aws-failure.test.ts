import { awsFailure } from '../../src/cloud/aws-failure.ts'
import { OciPublishError } from '../../src/errors.ts'
import { awsError } from './fake-ecr.ts'

describe('what AWS refuses is told with what to do', () => {
  test.each<[name: string, message: string, hint: RegExp]>([
    [
      'CredentialsProviderError',
      'Could not load credentials from any providers',
      /"permissions: id-token: write" and the input "role-to-assume", or run aws-actions\/configure-aws-credentials/,
    ],
    [
      'AccessDenied',
      'Not authorized to perform sts:AssumeRoleWithWebIdentity',
      /trust policy .*token\.actions\.githubusercontent\.com .*audience sts\.amazonaws\.com/,
    ],
    [
      'AccessDenied',
      'User: arn:aws:iam::1:user/x is not authorized to perform: sts:AssumeRole on resource: y',
      /has to trust who asks/,
    ],
    ['InvalidIdentityToken', 'No OpenIDConnect provider found in your account', /OpenID Connect provider/],
    ['InvalidIdentityTokenException', 'No OpenIDConnect provider found', /OpenID Connect provider/],
    [
      'ExpiredTokenException',
      'The security token included in the request is expired',
      /configure-aws-credentials again/,
    ],
    ['UnrecognizedClientException', 'The security token included in the request is invalid', /not valid/],
    [
      'AccessDeniedException',
      'User: x is not authorized to perform: ecr:GetAuthorizationToken on resource: *',
      /^allow ecr:GetAuthorizationToken to the role that publishes$/,
    ],
    ['AccessDeniedException', 'no', /^allow ecr:Asked to the role that publishes$/],
    ['LimitExceededException', 'too many repositories', /^$/],
  ])('%s: %s', (name, message, hint) => {
    const failure = awsFailure(awsError(name, message), 'ecr:Asked')
    expect(failure.reason).toBe(`${name}: ${message}`)
    expect(failure.hint ?? '').toMatch(hint)
  })

  test('what we found wrong ourselves stays as it is', () => {
    const error = new OciPublishError('NO_ID_TOKEN', 'no ID token', { hint: 'add it' })
    expect(awsFailure(error, 'ecr:Asked')).toEqual({ reason: 'no ID token', hint: 'add it' })
  })

  test('an endless answer stays a line', () => {
    expect(awsFailure(awsError('X', `a\n${'b'.repeat(1_000)}`), 'ecr:Asked').reason).toMatch(/^X: a b{290,300}$/)
  })
})
