import type { Abortable } from '../async/abortable.ts'
import type { Target } from '../content/ports.ts'
import { withPush } from '../content/with-push.ts'
import type { OpenEcrApi, RepositorySettings } from './ecr-api.ts'
import { parseEcrHost } from './ecr-host.ts'
import { ensureRepository } from './ecr-repository.ts'
import { readPolicy } from './policy-text.ts'

export interface EnsuredTargetDeps {
  readonly open: OpenEcrApi
  readonly settings: RepositorySettings
  /** JSON, or the path of a file with it; of what is made here. */
  readonly lifecyclePolicy?: string | undefined
  readonly repositoryPolicy?: string | undefined
  /** Told when a repository was made: `123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app`. */
  readonly onCreated: (place: string) => void
}

/**
 * A target on ECR whose repository is made before the first push, where it does not exist; a target elsewhere as it is.
 * Who only looks, as a dry run does, makes nothing.
 */
export function ensuredTarget(
  target: Target,
  { host, repository }: { readonly host: string; readonly repository: string },
  deps: EnsuredTargetDeps,
): Target {
  const ecr = parseEcrHost(host)
  if (!ecr) return target
  const ensure = async ({ signal }: Abortable): Promise<void> => {
    const { open, settings, onCreated } = deps
    const [lifecyclePolicy, repositoryPolicy] = await Promise.all([
      policyOf('ecr-lifecycle-policy', deps.lifecyclePolicy, { signal }),
      policyOf('ecr-repository-policy', deps.repositoryPolicy, { signal }),
    ])
    const wanted = { ...settings, lifecyclePolicy, repositoryPolicy, open, signal }
    if ((await ensureRepository(ecr, repository, wanted)) === 'created') onCreated(target.place)
  }
  // A failure is for good, too: it would only be the same for every layer.
  let ready: Promise<void> | undefined
  return withPush(target, async (blob, options = {}) => {
    options.signal?.throwIfAborted()
    await (ready ??= ensure(options))
    return target.push(blob, options)
  })
}

async function policyOf(input: string, typed: string | undefined, io: Abortable): Promise<string | undefined> {
  return typed === undefined ? undefined : readPolicy(input, typed, io)
}
