import { createPublicKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import { canonical, checkpoint, Entries, sha256, type Log } from './log.ts'
import { json, type LoggedRequest, type Reply } from './service.ts'

interface Verifier {
  readonly x509Certificate?: { readonly rawBytes: string }
  readonly publicKey?: { readonly rawBytes: string }
  readonly keyDetails: string
}

interface Proposed {
  readonly hashedRekordRequestV002?: {
    readonly digest: string
    readonly signature: { readonly content: string; readonly verifier: Verifier }
  }
}

const DETAILS: ReadonlyMap<string | undefined, readonly string[]> = new Map([
  ['prime256v1', ['PKIX_ECDSA_P256_SHA_256']],
  ['secp384r1', ['PKIX_ECDSA_P384_SHA_384', 'PKIX_ECDSA_P384_SHA_256']],
  ['secp521r1', ['PKIX_ECDSA_P521_SHA_512', 'PKIX_ECDSA_P521_SHA_256']],
])

/** Rekor 2 (rekor-tiles), which knows only `hashedrekord` and no time. */
export function rekorV2(host: () => string): Log {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const entries = new Entries()
  // The name of the log is part of its id, and known when it listens.
  const logIdOf = (): Buffer =>
    sha256(Buffer.concat([Buffer.from(`${host()}\n`), Buffer.from([1]), spki.subarray(-32)]))

  const show = (index: number): unknown => {
    const { root, size, path } = entries.prove(index)
    const note = { origin: host(), keyId: logIdOf(), sign: (text: Buffer): Buffer => sign(null, text, privateKey) }
    return {
      logIndex: `${index}`,
      logId: { keyId: logIdOf().toString('base64') },
      kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
      integratedTime: '0',
      inclusionPromise: null,
      inclusionProof: {
        logIndex: `${index}`,
        rootHash: root.toString('base64'),
        treeSize: `${size}`,
        hashes: path.map(one => one.toString('base64')),
        checkpoint: { envelope: checkpoint({ size, root }, note) },
      },
      canonicalizedBody: entries.bodies[index]?.toString('base64'),
    }
  }

  return {
    publicKey: spki,
    keyDetails: 'PKIX_ED25519',
    get logId() {
      return logIdOf()
    },
    answer: (request: LoggedRequest): Reply => {
      if (request.method !== 'POST' || request.path !== '/api/v2/log/entries') return refuse(404, 5, 'Not Found')
      try {
        const body = Buffer.from(canonical(entryOf(JSON.parse(request.body.toString()) as Proposed)))
        const { index, existed } = entries.add(body)
        return existed
          ? refuse(409, 6, `an equivalent entry already exists in the transparency log with index ${index}`)
          : json(201, show(index))
      } catch (error) {
        return refuse(400, 3, String(error))
      }
    },
  }
}

function entryOf({ hashedRekordRequestV002: request }: Proposed): unknown {
  if (!request) throw new Error('invalid type, must be hashedrekord')
  const { digest, signature } = request
  const { content, verifier } = signature
  if (Buffer.from(digest, 'base64').byteLength !== 32) throw new Error('digest is not of SHA-256')
  const { asymmetricKeyType, asymmetricKeyDetails } = keyOf(verifier)
  // It would have to be over the hash (Ed25519ph).
  if (asymmetricKeyType === 'ed25519') throw new Error('verifying signature: ed25519: invalid signature')
  const { namedCurve } = asymmetricKeyDetails ?? {}
  const allowed = DETAILS.get(namedCurve)
  if (allowed && !allowed.includes(verifier.keyDetails)) throw new Error(`key is not ${verifier.keyDetails}`)
  const data = { algorithm: 'SHA2_256', digest }
  const spec = { hashedRekordV002: { data, signature: { content, verifier } } }
  return { apiVersion: '0.0.2', kind: 'hashedrekord', spec }
}

function keyOf({ x509Certificate, publicKey }: Verifier): ReturnType<typeof createPublicKey> {
  if (x509Certificate) return new X509Certificate(Buffer.from(x509Certificate.rawBytes, 'base64')).publicKey
  return createPublicKey({ key: Buffer.from(publicKey?.rawBytes ?? '', 'base64'), format: 'der', type: 'spki' })
}

function refuse(status: number, code: number, message: string): Reply {
  return json(status, { code, message, details: [] })
}
