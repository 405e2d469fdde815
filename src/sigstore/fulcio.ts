import { X509Certificate } from 'node:crypto'
import * as v from 'valibot'
import { OciPublishError } from '../errors.ts'
import { parse, parseJson } from '../parse.ts'
import type { Signer } from '../sign/signer.ts'
import { ask, below, type ServiceIo } from './ask.ts'
import { provenSubject, type Claims, type IdentityToken } from './identity-token.ts'

export interface CertificateRequest {
  /** Of Fulcio. */
  readonly url: string
  readonly token: IdentityToken
  /** Of an ECDSA key that is used for nothing else. */
  readonly signer: Signer
}

export interface IssuedCertificate {
  readonly certificate: X509Certificate
  /** From its issuer to the root, as far as they were sent. */
  readonly chain: readonly X509Certificate[]
}

const CODE = 'CERTIFICATE_FAILED'
const MAX_ANSWER_BYTES = 256 << 10

const object = 'is not an object'
const chain = v.object(
  { chain: v.object({ certificates: v.pipe(v.array(v.string('is not text')), v.minLength(1, 'is empty')) }, object) },
  object,
)
const answer = v.object(
  { signedCertificateEmbeddedSct: v.optional(chain), signedCertificateDetachedSct: v.optional(chain) },
  object,
)

/**
 * Has a certificate made for a key and whom the token names, good for ten minutes.
 *
 * @throws {ServiceError} CERTIFICATE_FAILED
 * @throws {OciPublishError} CERTIFICATE_FAILED for an answer that is none, or a certificate for another key
 * @see fulcio, fulcio.proto, CreateSigningCertificate
 */
export async function requestCertificate(
  { url, token, signer }: CertificateRequest,
  io: ServiceIo,
): Promise<IssuedCertificate> {
  const proof = await signer.sign(Buffer.from(provenSubject(token.claims)), io)
  const body = {
    credentials: { oidcIdentityToken: token.token },
    publicKeyRequest: {
      publicKey: { algorithm: 'ECDSA', content: signer.publicKey.export({ type: 'spki', format: 'pem' }) },
      proofOfPossession: Buffer.from(proof).toString('base64'),
    },
  }
  const question = {
    method: 'POST',
    url: below(url, 'api/v2/signingCert'),
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
    operation: 'get a certificate',
    code: CODE,
    accepts: [200, 201],
    maxBytes: MAX_ANSWER_BYTES,
    hint: (status: number, detail: string) => hintFor(status, detail, token.claims),
    secret: token.token,
  } as const
  const response = await ask(question, io)
  return read(await response.text(MAX_ANSWER_BYTES), question.url.host, signer)
}

function read(text: string, host: string, { publicKey }: Signer): IssuedCertificate {
  const where = `certificate of ${host}`
  let certificates: readonly X509Certificate[]
  try {
    const { signedCertificateEmbeddedSct: embedded, signedCertificateDetachedSct: detached } = parse(
      answer,
      parseJson(text, where),
      where,
    )
    certificates = ((embedded ?? detached)?.chain.certificates ?? []).map(pem => new X509Certificate(pem))
  } catch (error) {
    throw new OciPublishError(CODE, `${where}: the answer cannot be read`, { cause: error, hint: notFulcio(host) })
  }
  const [certificate, ...chain] = certificates
  if (!certificate) {
    throw new OciPublishError(CODE, `${where}: the answer has no certificate`, { hint: notFulcio(host) })
  }
  if (!certificate.publicKey.equals(publicKey)) {
    throw new OciPublishError(CODE, `${where}: is for another key than the one that was sent`)
  }
  return { certificate, chain }
}

function notFulcio(host: string): string {
  return `is ${host} a Fulcio? Its address is the input "fulcio-url", or in "signing-config"`
}

function hintFor(status: number, detail: string, { issuer, audience }: Claims): string | undefined {
  if (status === 404 || status === 405) return 'is "fulcio-url" right? It ends before /api/v2/signingCert'
  if (/\bexpired?\b/i.test(detail)) return 'the token has expired: get it right before it is used'
  if (status === 400 || status === 401 || status === 403) {
    return `the token is of ${issuer}, for "${audience.join('", "')}": this Fulcio has to know that issuer, and expect that audience`
  }
  return undefined
}
