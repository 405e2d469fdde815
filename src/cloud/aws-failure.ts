import { OciPublishError, messageOf } from '../errors.ts'

/** What AWS refused, for people. */
export interface AwsFailure {
  /** `AccessDeniedException: User … is not authorized to perform …` */
  readonly reason: string
  readonly hint: string | undefined
}

type Row = readonly [when: RegExp, say: (action: string) => string]

const ID_TOKEN = '"permissions: id-token: write"'
const CONFIGURE = 'aws-actions/configure-aws-credentials'

/** By name and message of the error; first match wins. A new complaint from users is a new row here and in the test. */
const HINTS: readonly Row[] = [
  [
    /^CredentialsProviderError\b|Could not load credentials/,
    () =>
      `give the job ${ID_TOKEN} and the input "role-to-assume", or run ${CONFIGURE} before (on a machine: AWS_PROFILE)`,
  ],
  [
    /sts:AssumeRoleWithWebIdentity/,
    () =>
      'the trust policy of the role has to allow token.actions.githubusercontent.com with the audience sts.amazonaws.com and this repository and branch as "sub"',
  ],
  [
    /sts:AssumeRole\b/,
    () => `the role has to trust who asks for it; with ${ID_TOKEN} the job asks as itself, without keys`,
  ],
  [
    /^InvalidIdentityToken/,
    () =>
      'the account of the role needs an OpenID Connect provider for https://token.actions.githubusercontent.com with the audience sts.amazonaws.com',
  ],
  [
    /^(?:ExpiredToken|RequestExpired|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature)/,
    () => `the AWS credentials of the environment are not valid, or not any more: run ${CONFIGURE} again`,
  ],
  [/^AccessDenied|UnauthorizedOperation/, action => `allow ${action} to the role that publishes`],
]

const ACTION = /\bperform:? ([a-z-]+:[A-Za-z]+)/
const MAX_CHARS = 300

/**
 * Puts an error of AWS's clients into words.
 *
 * @param action what was asked for, as policies name it, where AWS does not say: `ecr:CreateRepository`
 */
export function awsFailure(error: unknown, action: string): AwsFailure {
  if (error instanceof OciPublishError) return { reason: error.message, hint: error.hint }
  const { name } = (typeof error === 'object' && error !== null ? error : {}) as { readonly name?: unknown }
  const named = typeof name === 'string' && name !== 'Error' ? `${name}: ` : ''
  const reason = `${named}${messageOf(error)}`.replaceAll(/\s+/g, ' ').slice(0, MAX_CHARS)
  const hint = HINTS.find(([when]) => when.test(reason))?.[1](ACTION.exec(reason)?.[1] ?? action)
  return { reason, hint }
}
