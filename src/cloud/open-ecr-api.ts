import type { AwsOptions } from './aws/options.ts'
import type { OpenEcrApi } from './ecr-api.ts'

/** AWS's clients are a megabyte that most runs have no use for: a run loads what its registries need. */
export function ecrApis(options: AwsOptions): OpenEcrApi {
  return async ecr => {
    // Which Node they will want next year is nothing that a user of a finished bundle could act on.
    process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
    if (ecr.kind === 'private') {
      const { privateEcrApi } = await import('./aws/private-ecr.ts')
      return privateEcrApi(ecr, options)
    }
    const { publicEcrApi } = await import('./aws/public-ecr.ts')
    return publicEcrApi(ecr, options)
  }
}
