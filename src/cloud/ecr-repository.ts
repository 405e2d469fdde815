import type { Abortable } from '../async/abortable.ts'
import { OciPublishError } from '../errors.ts'
import { awsFailure } from './aws-failure.ts'
import type { EcrApi, OpenEcrApi, RepositorySettings } from './ecr-api.ts'
import type { EcrHost } from './ecr-host.ts'

/** How a repository is to be, where it has to be made. */
export interface WantedRepository extends RepositorySettings {
  /** JSON text. */
  readonly repositoryPolicy?: string | undefined
  /** JSON text; only private registries have it. */
  readonly lifecyclePolicy?: string | undefined
}

/**
 * Makes a repository of ECR if it does not exist. One that exists is left as it is, and needs no more than the right to
 * look: settings and policies are for those that are made here.
 *
 * @param repository as in a reference; of ECR Public with the alias, `alias/team/app`
 * @throws {OciPublishError} AWS_REFUSED, with the right that the role lacks
 */
export async function ensureRepository(
  ecr: EcrHost,
  repository: string,
  { open, signal, ...wanted }: WantedRepository & Abortable & { readonly open: OpenEcrApi },
): Promise<'exists' | 'created'> {
  signal?.throwIfAborted()
  const [service, name] = ecr.kind === 'private' ? ['ecr', repository] : ['ecr-public', withoutAlias(repository)]
  const place = `${ecr.host}/${repository}`
  const io = { signal }
  const ask = <T>(action: string, doing: string, call: (api: EcrApi) => Promise<T>): Promise<T> =>
    orRefused(`${service}:${action}`, `${place}: ${doing}`, io, async () => call(await open(ecr)))

  if (await ask('DescribeRepositories', 'could not look for it', api => api.hasRepository(name, io))) return 'exists'
  const ours = await ask('CreateRepository', 'could not create it', api => api.createRepository(name, wanted, io))
  if (!ours) return 'exists'
  const { repositoryPolicy, lifecyclePolicy } = wanted
  if (lifecyclePolicy !== undefined) {
    await ask(
      'PutLifecyclePolicy',
      'created, but could not set its lifecycle policy, and no later run will',
      async api => api.setLifecyclePolicy?.(name, lifecyclePolicy, io),
    )
  }
  if (repositoryPolicy !== undefined) {
    await ask('SetRepositoryPolicy', 'created, but could not set its policy, and no later run will', api =>
      api.setRepositoryPolicy(name, repositoryPolicy, io),
    )
  }
  return 'created'
}

function withoutAlias(repository: string): string {
  return repository.split('/').slice(1).join('/')
}

async function orRefused<T>(action: string, what: string, { signal }: Abortable, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    signal?.throwIfAborted()
    const { reason, hint } = awsFailure(error, action)
    throw new OciPublishError('AWS_REFUSED', `${what}: ${reason}`, { cause: error, hint })
  }
}
