import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { Once } from '../async/once.ts'
import type { Abortable } from '../async/abortable.ts'
import { keySigner } from '../sign/key-signer.ts'
import type { SigningIdentity } from '../sign/signer.ts'
import type { ServiceIo } from './ask.ts'
import { checkNotExpired, expiryOf } from './certificate-expired.ts'
import { requestCertificate } from './fulcio.ts'
import type { Claims, IdentityToken } from './identity-token.ts'

export interface KeylessDeps extends Pick<ServiceIo, 'transport'> {
  readonly fulcioUrl: string
  /** Gets a token; asked again when a certificate has to be renewed and the token has expired. */
  readonly token: (io: Abortable) => Promise<IdentityToken>
  /** Milliseconds since 1970. Default: now. */
  readonly now?: () => number
}

/** Signs as whoever runs the job. */
export interface Keyless {
  /** Who that is. */
  readonly claims: Claims
  /**
   * A key that lives only here, with a certificate that is good for a minute at least. All callers share them.
   *
   * @throws {OciPublishError} CERTIFICATE_FAILED, NO_ID_TOKEN, INVALID_ID_TOKEN
   */
  identity(io?: Abortable): Promise<SigningIdentity>
}

/** What may pass between getting an identity and the last witness of a signature. */
const SPARE_MS = 60_000
/** What a request for a certificate may take. */
const TOKEN_SPARE_MS = 10_000

/**
 * Finds out who signs, and has a certificate made when the first signature is.
 *
 * @throws {OciPublishError} NO_ID_TOKEN, INVALID_ID_TOKEN
 */
export async function keylessIdentity(deps: KeylessDeps, io: Abortable = {}): Promise<Keyless> {
  const { now = Date.now } = deps
  const certificates = new Once<number, SigningIdentity>()
  let latest = 0
  let token = await deps.token(io)
  const renew = async ({ signal }: Abortable): Promise<SigningIdentity> => {
    if (token.claims.expiresAt - now() < TOKEN_SPARE_MS) token = await deps.token({ signal })
    return certify(deps, token, { signal })
  }
  return {
    claims: token.claims,
    identity: async (io = {}) => {
      const seen = latest
      const current = await certificates.run(seen, () => renew(io))
      if (lifeOf(current) - now() >= SPARE_MS) return current
      if (seen === latest) latest += 1 // the first to notice renews it for all
      return certificates.run(latest, () => renew(io))
    },
  }
}

async function certify(
  { fulcioUrl: url, transport, now = Date.now }: KeylessDeps,
  token: IdentityToken,
  { signal }: Abortable,
): Promise<SigningIdentity> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  const signer = keySigner(privateKey)
  const by = await requestCertificate({ url, token, signer }, { transport, signal })
  return {
    by,
    signer: {
      publicKey: signer.publicKey,
      sign: async (bytes, io) => {
        checkNotExpired(by, now(), 'it signed')
        return signer.sign(bytes, io)
      },
    },
  }
}

function lifeOf({ by }: SigningIdentity): number {
  return by.certificate ? expiryOf(by.certificate) : Infinity
}
