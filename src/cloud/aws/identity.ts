import { fromTemporaryCredentials, fromWebToken } from '@aws-sdk/credential-providers'
import { githubIdToken, hasIdTokens } from '../github-id-token.ts'
import type { AwsOptions } from './options.ts'
import { awsRequestHandler } from './request-handler.ts'

/** Of AWS's STS, as GitHub's documentation and every trust policy made by it have it. */
const AUDIENCE = 'sts.amazonaws.com'

type Identity = ReturnType<typeof fromWebToken>

/**
 * Who is asking: the role, taken on with GitHub's word for the job where the job may have it, else by whoever the
 * environment says; undefined is the latter without a role, the default chain of AWS's clients.
 */
export function identityOf(region: string, options: AwsOptions): Identity | undefined {
  const { env, transport, onSecret, roleToAssume } = options
  if (roleToAssume === undefined) return undefined
  const clientConfig = { region, requestHandler: awsRequestHandler(transport) }
  const roleSessionName = sessionName(env)
  if (!hasIdTokens(env)) {
    return fromTemporaryCredentials({
      params: { RoleArn: roleToAssume, RoleSessionName: roleSessionName },
      clientConfig,
    })
  }
  return async props => {
    const webIdentityToken = await githubIdToken(AUDIENCE, { env, transport, onSecret })
    return fromWebToken({ roleArn: roleToAssume, roleSessionName, webIdentityToken, clientConfig })(props)
  }
}

/** What AWS's own log of the account shows: which run it was. */
function sessionName(env: NodeJS.ProcessEnv): string {
  const run = env['GITHUB_RUN_ID'] ?? ''
  return ['oci-publish', run]
    .filter(part => part !== '')
    .join('-')
    .replaceAll(/[^\w+=,.@-]/g, '-')
    .slice(0, 64)
}
