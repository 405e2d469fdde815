import fc from 'fast-check'
import { parseEcrHost } from '../../src/cloud/ecr-host.ts'

const account = '123456789012'

describe('every registry of ECR is recognised, with what its API is asked by', () => {
  test.each<[host: string, region: string, fips: boolean, dualStack: boolean]>([
    [`${account}.dkr.ecr.us-east-1.amazonaws.com`, 'us-east-1', false, false],
    [`${account}.dkr.ecr.ap-southeast-4.amazonaws.com`, 'ap-southeast-4', false, false],
    [`${account}.dkr.ecr-fips.us-gov-west-1.amazonaws.com`, 'us-gov-west-1', true, false],
    [`${account}.dkr.ecr.cn-north-1.amazonaws.com.cn`, 'cn-north-1', false, false],
    [`${account}.dkr.ecr.eusc-de-east-1.amazonaws.eu`, 'eusc-de-east-1', false, false],
    [`${account}.dkr.ecr.us-iso-east-1.c2s.ic.gov`, 'us-iso-east-1', false, false],
    [`${account}.dkr.ecr.us-isob-east-1.sc2s.sgov.gov`, 'us-isob-east-1', false, false],
    [`${account}.dkr.ecr.us-isof-south-1.csp.hci.ic.gov`, 'us-isof-south-1', false, false],
    [`${account}.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk`, 'eu-isoe-west-1', false, false],
    [`${account}.dkr-ecr.eu-west-1.on.aws`, 'eu-west-1', false, true],
    [`${account}.dkr-ecr-fips.us-east-2.on.aws`, 'us-east-2', true, true],
    [`${account}.dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn`, 'cn-northwest-1', false, true],
    [`${account}.dkr-ecr.us-iso-east-1.on.aws.ic.gov`, 'us-iso-east-1', false, true],
    [`${account}.dkr-ecr.us-isob-east-1.on.aws.scloud`, 'us-isob-east-1', false, true],
    [`${account}.dkr-ecr.us-isof-south-1.on.aws.hci.ic.gov`, 'us-isof-south-1', false, true],
    [`${account}.dkr-ecr.eu-isoe-west-1.on.cloud-aws.adc-e.uk`, 'eu-isoe-west-1', false, true],
    [`${account}.dkr-ecr-fips.us-gov-west-1.on.aws`, 'us-gov-west-1', true, true],
    [`${account}.dkr-ecr.eusc-de-east-1.on.amazonwebservices.eu`, 'eusc-de-east-1', false, true],
  ])('%s', (host, region, fips, dualStack) => {
    expect(parseEcrHost(host)).toEqual({ kind: 'private', host, account, region, fips, dualStack })
    expect(parseEcrHost(host.toUpperCase())?.host).toBe(host)
  })

  test.each([
    ['public.ecr.aws', false],
    ['ecr-public.aws.com', true],
  ])('%s', (host, dualStack) => {
    expect(parseEcrHost(host)).toEqual({ kind: 'public', host, region: 'us-east-1', dualStack })
  })
})

describe('a token of AWS is made for no host that only looks like one', () => {
  test.each([
    'docker.io',
    'amazonaws.com',
    'ecr.us-east-1.amazonaws.com',
    '12345678901.dkr.ecr.us-east-1.amazonaws.com',
    '1234567890123.dkr.ecr.us-east-1.amazonaws.com',
    `${account}.dkr.ecr.us-east-1.amazonaws.com.evil.example`,
    `${account}.dkr.ecr.us-east-1.amazonaws.com:5000`,
    `${account}.dkr.ecr.us-east-1.amazonaws-com.evil`,
    `${account}.dkr.ecr.us-east-1.on.aws`,
    `${account}.dkr-ecr.us-east-1.amazonaws.com`,
    `${account}.dkr.ecr..amazonaws.com`,
    `${account}.dkr.ecr.evil.example/us-east-1.amazonaws.com`,
    `x${account}.dkr.ecr.us-east-1.amazonaws.com`,
    'xpublic.ecr.aws',
    'public.ecr.aws.evil.example',
  ])('%s', host => {
    expect(parseEcrHost(host)).toBeUndefined()
  })

  test('nor for one that ends otherwise', () => {
    fc.assert(
      fc.property(fc.domain(), domain => {
        expect(parseEcrHost(`${account}.dkr.ecr.us-east-1.${domain}`)).toBeUndefined()
      }),
    )
  })
})
