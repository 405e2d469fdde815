import { createPublicKey, generateKeyPairSync, sign, verify, X509Certificate, type KeyObject } from 'node:crypto'
import { preAuthEncoding } from '../../../src/sign/envelope.ts'
import { canonical, checkpoint, Entries, sha256, type Log } from './log.ts'
import { json, type LoggedRequest, type Reply } from './service.ts'

const PATH = '/api/v1/log/entries'
const TREE = '24296fb24b8ad77a'
/** Entries of earlier shards: the index of an entry is not its index in the tree. */
const EARLIER = 1_000_000

interface ProposedDsse {
  readonly kind: 'dsse'
  readonly spec: { readonly proposedContent: { readonly envelope: string; readonly verifiers: readonly string[] } }
}

interface ProposedHashedRekord {
  readonly kind: 'hashedrekord'
  readonly spec: {
    readonly data: { readonly hash: { readonly algorithm: string; readonly value: string } }
    readonly signature: { readonly content: string; readonly publicKey: { readonly content: string } }
  }
}

interface ParsedEnvelope {
  readonly payload: string
  readonly payloadType: string
  readonly signatures: readonly { readonly sig: string }[]
}

/** Rekor 1 for `dsse` and `hashedrekord`, whose signatures it checks. */
export function rekorV1(host: () => string, now: () => Date): Log {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const logId = sha256(spki)
  const entries = new Entries()
  const times: number[] = []

  /** Signed once, as long as the tree does not grow. */
  const shown = new Map<string, Record<string, unknown>>()
  const show = (index: number): Record<string, unknown> => {
    const { root, size, path } = entries.prove(index)
    const known = shown.get(`${index}/${size}`)
    if (known) return known
    const entry = {
      body: entries.bodies[index]?.toString('base64'),
      integratedTime: times[index],
      logID: logId.toString('hex'),
      logIndex: EARLIER + index,
    }
    const signedEntryTimestamp = sign('sha256', Buffer.from(canonical(entry)), privateKey).toString('base64')
    const note = checkpoint(
      { size, root },
      {
        origin: `${host()} - 1193050959916656506`,
        name: host(),
        keyId: logId,
        sign: text => sign('sha256', text, privateKey),
      },
    )
    const inclusionProof = {
      checkpoint: note,
      hashes: path.map(one => one.toString('hex')),
      logIndex: index,
      rootHash: root.toString('hex'),
      treeSize: size,
    }
    const verification = { inclusionProof, signedEntryTimestamp }
    const answer = { [`${TREE}${entries.leaf(index)}`]: { ...entry, verification } }
    shown.set(`${index}/${size}`, answer)
    return answer
  }

  const create = (request: LoggedRequest): Reply => {
    let body: Buffer
    try {
      body = Buffer.from(canonical(entryOf(JSON.parse(request.body.toString()) as ProposedDsse | ProposedHashedRekord)))
    } catch (error) {
      return json(400, { code: 400, message: `error processing entry: ${String(error)}` })
    }
    const { index, existed } = entries.add(body)
    times[index] ??= Math.floor(now().getTime() / 1000)
    const uuid = `${TREE}${entries.leaf(index)}`
    const location = `${PATH}/${uuid}`
    const message = `an equivalent entry already exists in the transparency log with UUID ${uuid}`
    return existed ? json(409, { code: 409, message }, { location }) : json(201, show(index), { location, etag: uuid })
  }

  return {
    publicKey: spki,
    keyDetails: 'PKIX_ECDSA_P256_SHA_256',
    logId,
    answer: request => {
      if (request.method === 'POST' && request.path === PATH) return create(request)
      const index = entries.find(request.path.slice(PATH.length + 1 + TREE.length))
      return index < 0 ? json(404, { code: 404, message: 'entry not found' }) : json(200, show(index))
    },
  }
}

function entryOf(proposed: ProposedDsse | ProposedHashedRekord): unknown {
  const { kind } = proposed
  return { apiVersion: '0.0.1', kind, spec: kind === 'dsse' ? dsse(proposed) : hashedRekord(proposed) }
}

function dsse({ spec }: ProposedDsse): unknown {
  const { envelope, verifiers } = spec.proposedContent
  const { payload, payloadType, signatures } = JSON.parse(envelope) as ParsedEnvelope
  const [verifier = ''] = verifiers
  const bytes = Buffer.from(payload, 'base64')
  const signed = preAuthEncoding({ payloadType, payload: bytes })
  for (const { sig } of signatures) check(signed, keyOf(verifier), Buffer.from(sig, 'base64'))
  return {
    envelopeHash: { algorithm: 'sha256', value: sha256(Buffer.from(envelope)).toString('hex') },
    payloadHash: { algorithm: 'sha256', value: sha256(bytes).toString('hex') },
    signatures: signatures.map(({ sig }) => ({ signature: sig, verifier })),
  }
}

function hashedRekord({ spec: { data, signature } }: ProposedHashedRekord): unknown {
  if (data.hash.algorithm !== 'sha256') throw new Error(`unsupported hash ${data.hash.algorithm}`)
  if (!/^[0-9a-f]{64}$/.test(data.hash.value)) throw new Error('value of the hash is not hex')
  // It would have to be over the hash (Ed25519ph).
  const isEd25519 = keyOf(signature.publicKey.content).asymmetricKeyType === 'ed25519'
  if (isEd25519) throw new Error('ed25519: invalid signature')
  const { content, publicKey } = signature
  return { data: { hash: data.hash }, signature: { content, publicKey: { content: publicKey.content } } }
}

function keyOf(verifier: string): KeyObject {
  const pem = Buffer.from(verifier, 'base64').toString()
  return pem.includes('BEGIN CERTIFICATE') ? new X509Certificate(pem).publicKey : createPublicKey(pem)
}

function check(signed: Uint8Array, key: KeyObject, signature: Uint8Array): void {
  const algorithm = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  if (!verify(algorithm, signed, key, signature)) throw new Error('could not verify envelope')
}
