import * as fc from 'fast-check'
import { isKmsUri, parseKmsUri } from '../../src/cloud/kms-uri.ts'
import { OciPublishError } from '../../src/errors.ts'

const ID = '1234abcd-12ab-34cd-56ef-1234567890ab'
const MRK = `mrk-${'0123456789abcdef'.repeat(2)}`
const ARN = `arn:aws:kms:eu-west-1:123456789012:key/${ID}`
const regions = { region: 'eu-north-1', env: {} }

describe('keys are named as for cosign', () => {
  test.each([
    [`awskms:///alias/release`, 'alias/release', 'eu-north-1', undefined],
    [`awskms:///alias/team/release_1-2`, 'alias/team/release_1-2', 'eu-north-1', undefined],
    [`awskms:///${ID}`, ID, 'eu-north-1', undefined],
    [`awskms:///${ID.toUpperCase()}`, ID.toUpperCase(), 'eu-north-1', undefined],
    [`awskms:///${MRK}`, MRK, 'eu-north-1', undefined],
    [`awskms:///${ARN}`, ARN, 'eu-west-1', undefined],
    [
      'awskms:///arn:aws-us-gov:kms:us-gov-west-1:123456789012:alias/release',
      'arn:aws-us-gov:kms:us-gov-west-1:123456789012:alias/release',
      'us-gov-west-1',
      undefined,
    ],
    [
      `awskms:///arn:aws-cn:kms:cn-north-1:123456789012:key/${MRK}`,
      `arn:aws-cn:kms:cn-north-1:123456789012:key/${MRK}`,
      'cn-north-1',
      undefined,
    ],
    ['awskms://localhost:4566/alias/x', 'alias/x', 'eu-north-1', 'http://localhost:4566/'],
    ['awskms://127.0.0.1:4566/alias/x', 'alias/x', 'eu-north-1', 'http://127.0.0.1:4566/'],
    ['awskms://[::1]:4566/alias/x', 'alias/x', 'eu-north-1', 'http://[::1]:4566/'],
    [`awskms://kms-fips.us-east-1.amazonaws.com/${ID}`, ID, 'eu-north-1', 'https://kms-fips.us-east-1.amazonaws.com/'],
    [
      `awskms://vpce-1.kms.eu-west-1.vpce.amazonaws.com/${ARN}`,
      ARN,
      'eu-west-1',
      'https://vpce-1.kms.eu-west-1.vpce.amazonaws.com/',
    ],
  ])('%s', (uri, keyId, region, endpoint) => {
    const key = parseKmsUri(uri, regions)
    expect({ ...key, endpoint: key.endpoint?.href }).toEqual({ uri, keyId, region, endpoint })
  })
})

test.each([
  [undefined, { AWS_REGION: 'us-east-2', AWS_DEFAULT_REGION: 'us-west-1' }, 'us-east-2'],
  [undefined, { AWS_REGION: '', AWS_DEFAULT_REGION: 'us-west-1' }, 'us-west-1'],
  ['eu-north-1', { AWS_REGION: 'us-east-2' }, 'eu-north-1'],
])(
  'the region of a key that names none is that of the input, else of the environment (%s, %j)',
  (region, env, found) => {
    expect(parseKmsUri('awskms:///alias/x', { region, env }).region).toBe(found)
  },
)

describe('what is wrong with a key is said, with the form that was meant', () => {
  test.each([
    [
      'awskms://alias/x',
      'awskms://alias/x names an endpoint, not a key',
      'without an endpoint there are three slashes: awskms:///alias/x',
    ],
    [
      `awskms://${ID}`,
      `awskms://${ID} names an endpoint, not a key`,
      `without an endpoint there are three slashes: awskms:///${ID}`,
    ],
    [
      `awskms://${ARN}`,
      `awskms://${ARN} names an endpoint, not a key`,
      `without an endpoint there are three slashes: awskms:///${ARN}`,
    ],
    [
      'awskms:alias/x',
      'awskms:alias/x names an endpoint, not a key',
      'without an endpoint there are three slashes: awskms:///alias/x',
    ],
    [
      'awskms:////alias/x',
      'awskms:////alias/x names an endpoint, not a key',
      'without an endpoint there are three slashes: awskms:///alias/x',
    ],
    ['awskms://', '"awskms://" is not the URI of a key of AWS KMS', 'awskms:///alias/NAME, '],
    ['awskms:///', '"" in awskms:/// is not a key of AWS KMS', 'awskms:///alias/NAME, '],
    [
      'awskms:///release',
      '"release" in awskms:///release is not a key of AWS KMS',
      'of an alias, the name begins with alias/: alias/release',
    ],
    ['awskms:///alias/', '"alias/" in awskms:///alias/ is not a key of AWS KMS', 'awskms:///alias/NAME, '],
    [
      'awskms:///alias/x?y=1',
      '"alias/x?y=1" in awskms:///alias/x?y=1 is not a key of AWS KMS',
      'awskms:///alias/NAME, ',
    ],
    [
      'awskms:///arn:aws:kms:eu-west-1:123:key/x',
      '"arn:aws:kms:eu-west-1:123:key/x" in awskms:///arn:aws:kms:eu-west-1:123:key/x is not a key of AWS KMS',
      'ARNs of keys are ',
    ],
    [
      'awskms:///arn:aws:s3:::bucket',
      '"arn:aws:s3:::bucket" in awskms:///arn:aws:s3:::bucket is not a key of AWS KMS',
      'ARNs of keys are ',
    ],
    [
      'awskms://local host/alias/x',
      '"local host" in awskms://local host/alias/x is not the host of an endpoint',
      'such as localhost:4566',
    ],
    [
      'awskms://localhost:99999/alias/x',
      '"localhost:99999" in awskms://localhost:99999/alias/x is not the host of an endpoint',
      'such as localhost:4566',
    ],
    ['./cosign.key', '"./cosign.key" is not the URI of a key of AWS KMS', 'awskms:///alias/NAME, '],
  ])('%s', (uri, message, hint) => {
    expect(refusalOf(uri)).toMatchObject({
      code: 'INVALID_KEY',
      message,
      hint: expect.stringContaining(hint) as string,
    })
  })

  test('no region', () => {
    expect(refusalOf('awskms:///alias/x', { env: {} })).toMatchObject({
      code: 'INVALID_KEY',
      message: 'awskms:///alias/x does not say in which region the key is',
      hint: 'give "aws-region: REGION", or the ARN of the key',
    })
  })
})

test.each([
  ['gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k/versions/1', 'Google Cloud KMS'],
  ['azurekms://vault.vault.azure.net/key', 'Azure Key Vault'],
  ['hashivault://release', 'the transit engine of Vault'],
  ['k8s://namespace/secret', 'a secret of Kubernetes'],
])('%s is known and refused, with another way to sign', (uri, name) => {
  expect(isKmsUri(uri)).toBe(true)
  expect(refusalOf(uri)).toMatchObject({
    code: 'UNSUPPORTED',
    message: `${uri} is of ${name}, which oci-publish does not ask for signatures`,
    hint: expect.stringContaining('cosign sign --key URI IMAGE@DIGEST') as string,
  })
})

test.each([
  ['awskms:///alias/x', true],
  ['awskms:alias/x', true],
  ['cosign.key', false],
  ['keys/awskms.key', false],
  ['env://COSIGN_PRIVATE_KEY', false],
  ['C:/keys/cosign.key', false],
  ['-----BEGIN PRIVATE KEY-----', false],
])('%s is no file: %s', (text, is) => {
  expect(isKmsUri(text)).toBe(is)
})

test.each(['awskms://me:hunter2@localhost:4566/alias/x', 'awskms://me:hunter2@alias', 'hashivault://me:hunter2@key'])(
  'a password in a URI (%s) is not repeated',
  uri => {
    const error = refusalOf(uri)
    expect(error).toBeInstanceOf(OciPublishError)
    expect(`${error.message} ${error.hint ?? ''}`).not.toContain('hunter2')
  },
)

test('no text at all makes the reader do anything but give a key or say what is wrong', () => {
  const part = fc.oneof(fc.string(), fc.constantFrom('/', '//', ':', 'alias/x', ARN, ID, '@', 'localhost:1'))
  fc.assert(
    fc.property(fc.array(part), parts => {
      const uri = `awskms:${parts.join('')}`
      expect([uri, 'INVALID_KEY']).toContain(writtenAgain(uri))
    }),
  )
})

/** The URI of what was read, or the code of the refusal. */
function writtenAgain(uri: string): string {
  try {
    const { keyId, endpoint } = parseKmsUri(uri, regions)
    // An endpoint is kept in the form of WHATWG: only that there is one can be compared.
    const host = endpoint === undefined ? '' : /^awskms:[/][/]([^/]+)[/]/.exec(uri)?.[1]
    return `awskms://${host ?? 'nowhere'}/${keyId}`
  } catch (error) {
    if (error instanceof OciPublishError) return error.code
    throw error
  }
}

function refusalOf(uri: string, given: Parameters<typeof parseKmsUri>[1] = regions): OciPublishError {
  try {
    parseKmsUri(uri, given)
  } catch (error) {
    if (error instanceof OciPublishError) return error
    throw error
  }
  throw new Error(`${uri} was taken`)
}
