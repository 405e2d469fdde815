import type { CertificateAuthority, Authority } from './authorities.ts'
import type { LogTrust } from './log.ts'

interface Urls {
  readonly oidc: string
  readonly fulcio: string
  readonly rekor: string
  /** Whole. */
  readonly tsa: string | undefined
}

interface Trusted {
  readonly urls: Urls
  readonly ca: CertificateAuthority
  readonly log: LogTrust
  readonly tsa: Authority | undefined
}

const PAST = { start: '2020-01-01T00:00:00Z' }
const OPERATOR = 'local.test'

/** What a verifier has to believe (`TrustedRoot` of protobuf-specs). */
export function trustedRoot({ urls, ca, log, tsa }: Trusted): object {
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [logOf(urls.rekor, log)],
    certificateAuthorities: [authority(urls.fulcio, ca)],
    ctlogs: [logOf(`${urls.fulcio}/ct`, { ...ca.ctlog, keyDetails: 'PKIX_ECDSA_P256_SHA_256' })],
    timestampAuthorities: tsa ? [authority(urls.tsa ?? '', tsa)] : [],
  }
}

/** Where a signer goes (`SigningConfig` of protobuf-specs, 0.2). */
export function signingConfig(urls: Urls, rekor: 1 | 2): object {
  const service = (url: string, majorApiVersion: number): object => {
    return { url, majorApiVersion, validFor: PAST, operator: OPERATOR }
  }
  return {
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: [service(urls.fulcio, 1)],
    oidcUrls: [service(urls.oidc, 1)],
    rekorTlogUrls: [service(urls.rekor, rekor)],
    rekorTlogConfig: { selector: 'ANY' },
    tsaUrls: urls.tsa === undefined ? [] : [service(urls.tsa, 1)],
    tsaConfig: { selector: 'ANY' },
  }
}

function logOf(
  baseUrl: string,
  { publicKey, keyDetails, logId }: Omit<LogTrust, 'logId'> & { logId: Uint8Array },
): object {
  return {
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: publicKey.toString('base64'), keyDetails, validFor: PAST },
    logId: { keyId: Buffer.from(logId).toString('base64') },
  }
}

function authority(uri: string, { certificates }: Authority): object {
  return {
    subject: { organization: 'sigstore.mock', commonName: 'sigstore' },
    uri,
    certChain: { certificates: certificates.map(der => ({ rawBytes: Buffer.from(der).toString('base64') })) },
    validFor: PAST,
  }
}
