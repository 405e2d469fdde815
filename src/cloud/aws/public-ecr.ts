import {
  CreateRepositoryCommand,
  DescribeRepositoriesCommand,
  ECRPUBLICClient,
  GetAuthorizationTokenCommand,
  SetRepositoryPolicyCommand,
} from '@aws-sdk/client-ecr-public'
import type { EcrApi } from '../ecr-api.ts'
import type { PublicEcr } from '../ecr-host.ts'
import { hasEndpoint, sendOptions, tokenOf, unless } from './call.ts'
import { identityOf } from './identity.ts'
import type { AwsOptions } from './options.ts'
import { awsRequestHandler } from './request-handler.ts'

/**
 * The API of the account's own registry on ECR Public, whose repositories are named without the alias. Its rights are
 * those of the account that asks: another's repository is never found nor made. @see "Amazon ECR Public API Reference"
 */
export function publicEcrApi({ host, region, dualStack }: PublicEcr, options: AwsOptions): EcrApi {
  const { env } = options
  const here = [options.region, env['AWS_REGION'], env['AWS_DEFAULT_REGION']].find(Boolean) ?? region
  const credentials = identityOf(here, options)
  const client = new ECRPUBLICClient({
    region,
    useDualstackEndpoint: dualStack && !hasEndpoint(process.env, 'ECR_PUBLIC'),
    requestHandler: awsRequestHandler(options.transport),
    ...(credentials && { credentials }),
  })
  return {
    async token(io) {
      const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}), sendOptions(io))
      return tokenOf(authorizationData, host)
    },
    hasRepository: (name, io) =>
      unless('RepositoryNotFoundException', () =>
        client.send(new DescribeRepositoriesCommand({ repositoryNames: [name] }), sendOptions(io)),
      ),
    createRepository: (name, _settings, io) =>
      unless('RepositoryAlreadyExistsException', () =>
        client.send(new CreateRepositoryCommand({ repositoryName: name }), sendOptions(io)),
      ),
    async setRepositoryPolicy(name, policy, io) {
      const command = new SetRepositoryPolicyCommand({ repositoryName: name, policyText: policy })
      await client.send(command, sendOptions(io))
    },
  }
}
