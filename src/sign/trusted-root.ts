import type { TrustMaterial } from '@sigstore/verify'
import * as v from 'valibot'
import { OciPublishError, messageOf } from '../errors.ts'
import { parse, parseJson } from '../parse.ts'

/** Who is trusted to issue certificates, to log signatures and certificates, and to tell the time. */
export interface TrustedRoot {
  /** Names it in messages. */
  readonly where: string
  /** As the verifier takes it; keys of signers are no part of it. */
  readonly material: Omit<TrustMaterial, 'publicKey'>
}

const TYPE = 'application/vnd.dev.sigstore.trustedroot'
const list = v.optional(v.array(v.looseObject({}, 'is not an object'), 'is not a list'), [])
const schema = v.looseObject(
  {
    mediaType: v.pipe(v.string('is not text'), v.startsWith(TYPE, `does not begin with ${TYPE}`)),
    tlogs: list,
    certificateAuthorities: list,
    ctlogs: list,
    timestampAuthorities: list,
  },
  'is not an object',
)

/** Nobody's has more: that of the public good instance has 7 kB. */
const MAX_BYTES = 4 << 20

/**
 * Reads a trusted root of any version, with all its keys and certificates.
 *
 * @param where names it in messages
 * @throws {OciPublishError} INVALID_DOCUMENT; TOO_LARGE
 * @see sigstore protobuf-specs v0.5, sigstore_trustroot.proto
 */
export async function parseTrustedRoot(bytes: Uint8Array, where: string): Promise<TrustedRoot> {
  if (bytes.byteLength > MAX_BYTES) throw new OciPublishError('TOO_LARGE', `${where}: has more than ${MAX_BYTES} bytes`)
  const json = parse(schema, parseJson(bytes, where), where)
  const { default: specs } = await import('@sigstore/protobuf-specs')
  const { default: verify } = await import('@sigstore/verify')
  try {
    return { where, material: verify.toTrustMaterial(specs.TrustedRoot.fromJSON(json)) }
  } catch (error) {
    const message = `${where}: a key or certificate of it cannot be read: ${messageOf(error)}`
    const hint = '"cosign trusted-root create" writes one that can'
    throw new OciPublishError('INVALID_DOCUMENT', message, { cause: error, hint })
  }
}
