import {
  CreateRepositoryCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
  PutLifecyclePolicyCommand,
  SetRepositoryPolicyCommand,
} from '@aws-sdk/client-ecr'
import type { EcrApi } from '../ecr-api.ts'
import type { PrivateEcr } from '../ecr-host.ts'
import { hasEndpoint, sendOptions, tokenOf, unless } from './call.ts'
import { identityOf } from './identity.ts'
import type { AwsOptions } from './options.ts'
import { awsRequestHandler } from './request-handler.ts'

/** The API of a private registry, in its account and region. @see "Amazon ECR API Reference" */
export function privateEcrApi(ecr: PrivateEcr, options: AwsOptions): EcrApi {
  const { account: registryId, region, fips, dualStack } = ecr
  const credentials = identityOf(region, options)
  const ownEndpoints = !hasEndpoint(process.env, 'ECR')
  const client = new ECRClient({
    region,
    useFipsEndpoint: fips && ownEndpoints,
    useDualstackEndpoint: dualStack && ownEndpoints,
    requestHandler: awsRequestHandler(options.transport),
    ...(credentials && { credentials }),
  })
  return {
    async token(io) {
      const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}), sendOptions(io))
      return tokenOf(authorizationData?.[0], ecr.host)
    },
    hasRepository: (name, io) =>
      unless('RepositoryNotFoundException', () =>
        client.send(new DescribeRepositoriesCommand({ registryId, repositoryNames: [name] }), sendOptions(io)),
      ),
    createRepository: (name, { tagMutability, scanOnPush, encryption }, io) =>
      unless('RepositoryAlreadyExistsException', () =>
        client.send(
          new CreateRepositoryCommand({
            registryId,
            repositoryName: name,
            imageTagMutability: tagMutability === 'immutable' ? 'IMMUTABLE' : 'MUTABLE',
            imageScanningConfiguration: { scanOnPush },
            ...(encryption && {
              encryptionConfiguration: {
                encryptionType: encryption.type,
                ...(encryption.key !== undefined && { kmsKey: encryption.key }),
              },
            }),
          }),
          sendOptions(io),
        ),
      ),
    async setLifecyclePolicy(name, policy, io) {
      const command = new PutLifecyclePolicyCommand({ registryId, repositoryName: name, lifecyclePolicyText: policy })
      await client.send(command, sendOptions(io))
    },
    async setRepositoryPolicy(name, policy, io) {
      const command = new SetRepositoryPolicyCommand({ registryId, repositoryName: name, policyText: policy })
      await client.send(command, sendOptions(io))
    },
  }
}
