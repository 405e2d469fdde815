/** A private registry of Amazon ECR: one for each account and region. */
export interface PrivateEcr {
  readonly kind: 'private'
  readonly host: string
  /** Twelve digits. */
  readonly account: string
  readonly region: string
  /** Whether its endpoint is one of those validated by FIPS 140. */
  readonly fips: boolean
  /** Whether it is also reached by IPv6. */
  readonly dualStack: boolean
}

/** ECR Public: one host for everybody, whose repositories begin with an alias. */
export interface PublicEcr {
  readonly kind: 'public'
  readonly host: string
  /** Where its API is served, whatever region pushes. */
  readonly region: 'us-east-1'
  /** Whether the host is the one that is also reached by IPv6. */
  readonly dualStack: boolean
}

export type EcrHost = PrivateEcr | PublicEcr

const PRIVATE = /^(\d{12})[.](dkr[.]ecr|dkr-ecr)(-fips)?[.]([a-z]{2,}(?:-[a-z0-9]+)+)[.](.+)$/

/** Of the partitions: the world and GovCloud, China, Europe's own, and those of the United States' and Britain's agencies. */
const IPV4_DOMAINS = new Set([
  'amazonaws.com',
  'amazonaws.com.cn',
  'amazonaws.eu',
  'c2s.ic.gov',
  'sc2s.sgov.gov',
  'csp.hci.ic.gov',
  'cloud.adc-e.uk',
])
const DUAL_STACK_DOMAINS = new Set([
  'on.aws',
  'on.amazonwebservices.com.cn',
  'on.amazonwebservices.eu',
  'on.aws.ic.gov',
  'on.aws.scloud',
  'on.aws.hci.ic.gov',
  'on.cloud-aws.adc-e.uk',
])

const PUBLIC_DUAL_STACK = 'ecr-public.aws.com'
const PUBLIC = new Set(['public.ecr.aws', PUBLIC_DUAL_STACK])

/**
 * Recognises the hosts of ECR; undefined for every other. The whole name has to fit: it decides who is shown a token.
 *
 * @param host as in a reference, `123456789012.dkr.ecr.eu-west-1.amazonaws.com`
 */
export function parseEcrHost(host: string): EcrHost | undefined {
  const name = host.toLowerCase()
  if (PUBLIC.has(name))
    return { kind: 'public', host: name, region: 'us-east-1', dualStack: name === PUBLIC_DUAL_STACK }
  const [, account = '', service, fips, region = '', domain = ''] = PRIVATE.exec(name) ?? []
  const dualStack = service === 'dkr-ecr'
  if (!(dualStack ? DUAL_STACK_DOMAINS : IPV4_DOMAINS).has(domain)) return undefined
  return { kind: 'private', host: name, account, region, fips: fips !== undefined, dualStack }
}
