import { OciPublishError } from '../errors.ts'
import { isLoopback } from '../http/plain.ts'

/** A key of AWS KMS, and where it is asked for. */
export interface AwsKmsKey {
  /** As it was given. */
  readonly uri: string
  /** What AWS takes for `KeyId`: an id, `alias/NAME`, or the ARN of either. */
  readonly keyId: string
  readonly region: string
  /** Where the API is, when it is not AWS's own endpoint of the region. */
  readonly endpoint: URL | undefined
}

export interface KmsRegions {
  /** The input `aws-region`. */
  readonly region?: string | undefined
  readonly env: NodeJS.ProcessEnv
}

const OTHERS: ReadonlyMap<string, string> = new Map([
  ['gcpkms', 'Google Cloud KMS'],
  ['azurekms', 'Azure Key Vault'],
  ['hashivault', 'the transit engine of Vault'],
  ['k8s', 'a secret of Kubernetes'],
])

/** `mrk-` begins the ids of keys that are in several regions. */
const ID = '(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})'
const ALIAS = 'alias[/][a-z0-9/_-]+'
const ID_OR_ALIAS = new RegExp(`^(?:${ID}|${ALIAS})$`, 'i')
const ARN = new RegExp(`^arn:aws[a-z-]*:kms:([a-z]{2,}(?:-[a-z0-9]+)+):\\d{12}:(?:key[/]${ID}|${ALIAS})$`, 'i')
const HOST = /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d+)?$/i

const FORMS = 'awskms:///alias/NAME, awskms:///ID or awskms:///arn:aws:kms:REGION:ACCOUNT:key/ID'

/** Whether a key is named by the URI of a KMS, ours or that of others, and not by a file. */
export function isKmsUri(text: string): boolean {
  return text.startsWith('awskms:') || OTHERS.has(schemeOf(text) ?? '')
}

/**
 * Reads the URI of a key of AWS KMS in the forms of cosign: `awskms://[ENDPOINT]/[ID|ARN|alias/NAME]`. An endpoint is
 * reached by https, on this machine by http. The region is that of the ARN, else that of the input, else of the
 * environment.
 *
 * @throws {OciPublishError} INVALID_KEY for what is no such URI, UNSUPPORTED for the KMS of others
 */
export function parseKmsUri(uri: string, regions: KmsRegions): AwsKmsKey {
  const other = OTHERS.get(schemeOf(uri) ?? '')
  if (other !== undefined) throw ofOthers(uri, other)
  const [, host, keyId = ''] = /^awskms:[/][/]([^/]*)[/](.*)$/s.exec(uri) ?? []
  const meant = uri.replace(/^awskms:[/]*/, '')
  // Before all others: what stands before the "@" may be a password, and is repeated by none of the messages.
  if (meant.includes('@')) throw invalid('the awskms:// URI has an "@"', `no user belongs there: ${FORMS}`)
  if (isKeyId(meant) && uri !== `awskms:///${meant}`) {
    throw invalid(
      `${uri} names an endpoint, not a key`,
      `without an endpoint there are three slashes: awskms:///${meant}`,
    )
  }
  if (host === undefined) throw invalid(`"${uri}" is not the URI of a key of AWS KMS`, FORMS)
  if (host !== '' && !(HOST.test(host) && URL.canParse(`https://${host}`))) {
    throw invalid(`"${host}" in ${uri} is not the host of an endpoint`, `such as localhost:4566; without one: ${FORMS}`)
  }
  if (!isKeyId(keyId)) throw invalid(`"${keyId}" in ${uri} is not a key of AWS KMS`, formOf(keyId))
  return { uri, keyId, region: regionOf(uri, keyId, regions), endpoint: endpointOf(host) }
}

function schemeOf(text: string): string | undefined {
  return /^([a-z0-9]+):[/][/]/.exec(text)?.[1]
}

function isKeyId(text: string): boolean {
  return ID_OR_ALIAS.test(text) || ARN.test(text)
}

function formOf(keyId: string): string {
  if (keyId.startsWith('arn:')) return 'ARNs of keys are arn:aws:kms:REGION:ACCOUNT:key/ID or …:alias/NAME'
  return /^[a-z0-9_-]+$/i.test(keyId) ? `of an alias, the name begins with alias/: alias/${keyId}` : FORMS
}

function regionOf(uri: string, keyId: string, { region, env }: KmsRegions): string {
  const found = [ARN.exec(keyId)?.[1], region, env['AWS_REGION'], env['AWS_DEFAULT_REGION']].find(Boolean)
  if (found !== undefined) return found
  throw invalid(`${uri} does not say in which region the key is`, 'give "aws-region: REGION", or the ARN of the key')
}

function endpointOf(host: string): URL | undefined {
  return host === '' ? undefined : new URL(`${isLoopback(host) ? 'http' : 'https'}://${host}`)
}

function ofOthers(uri: string, other: string): OciPublishError {
  const message = `${uri.includes('@') ? 'the key' : uri} is of ${other}, which oci-publish does not ask for signatures`
  return new OciPublishError('UNSUPPORTED', message, {
    hint: 'publish without signing, then sign the digest with cosign itself: cosign sign --key URI IMAGE@DIGEST; or export the key, where its keeper allows it, and give that',
  })
}

function invalid(message: string, hint: string): OciPublishError {
  return new OciPublishError('INVALID_KEY', message, { hint })
}
