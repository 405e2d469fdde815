import type { AwsOptions } from './aws/options.ts'
import type { OpenKmsApi } from './kms-api.ts'

/** As {@link ecrApis}: who signs with no key of AWS loads nothing of its clients. */
export function kmsApis(options: AwsOptions): OpenKmsApi {
  return async key => {
    process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
    const { awsKmsApi } = await import('./aws/kms.ts')
    return awsKmsApi(key, options)
  }
}
