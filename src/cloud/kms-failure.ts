import { OciPublishError } from '../errors.ts'
import { awsFailure } from './aws-failure.ts'
import type { KmsAction } from './kms-api.ts'
import type { AwsKmsKey } from './kms-uri.ts'

type Row = readonly [when: RegExp, say: (key: AwsKmsKey, action: KmsAction) => string]

/** What is peculiar to keys; the rest of AWS's refusals are in {@link awsFailure}. First match wins. */
const HINTS: readonly Row[] = [
  [
    /^AccessDenied(?!.*perform:? sts:)/,
    (_key, action) =>
      `allow ${action} to the role that signs, in its own policy or in that of the key; signing takes kms:GetPublicKey and kms:Sign`,
  ],
  [
    /^NotFound/,
    ({ keyId, region }) =>
      `look for it in ${region}, where it was asked for: aws kms describe-key --key-id ${keyId} --region ${region}; another region is given with "aws-region", or with the ARN of the key`,
  ],
  [/^Disabled/, ({ keyId, region }) => `enable it: aws kms enable-key --key-id ${idOf(keyId)} --region ${region}`],
  [
    /^KMSInvalidState/,
    ({ keyId, region }) =>
      `a key that is to be deleted signs nothing; what state it is in says: aws kms describe-key --key-id ${keyId} --region ${region}`,
  ],
  [
    /^(?:UnsupportedOperation|InvalidKeyUsage)/,
    () => 'signing takes an asymmetric key: aws kms create-key --key-usage SIGN_VERIFY --key-spec ECC_NIST_P256',
  ],
  [
    /^(?:Throttling|LimitExceeded|TooManyRequests|RequestLimitExceeded)/,
    () => 'AWS takes no more requests of this account for the moment: run it again',
  ],
]

const FAILED: Readonly<Record<KmsAction, string>> = {
  'kms:GetPublicKey': 'could not read the public key',
  'kms:Sign': 'could not sign',
}

/** Puts what KMS refused into words. */
export function kmsFailure(error: unknown, key: AwsKmsKey, action: KmsAction): OciPublishError {
  const { reason, hint } = awsFailure(error, action)
  const own = error instanceof OciPublishError ? undefined : HINTS.find(([when]) => when.test(reason))
  return new OciPublishError('AWS_REFUSED', `${key.uri}: ${FAILED[action]}: ${reason}`, {
    cause: error,
    hint: own?.[1](key, action) ?? hint,
  })
}

/** Some calls take no alias: there the id is for whoever reads it to fill in. */
function idOf(keyId: string): string {
  return /^alias[/]|:alias[/]/.test(keyId) ? 'ID' : keyId
}
