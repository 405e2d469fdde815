import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { messageOf } from '../../src/errors.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { signEnvelope, type Envelope } from '../../src/sign/envelope.ts'
import { keySigner } from '../../src/sign/key-signer.ts'
import type { SigningIdentity } from '../../src/sign/signer.ts'
import { serializeStatement, signatureStatement } from '../../src/sign/statement.ts'
import type { LogEntry, Logged, Witnesses } from '../../src/sign/witness.ts'
import { readIdentityToken } from '../../src/sigstore/identity-token.ts'
import { keylessIdentity } from '../../src/sigstore/keyless.ts'
import { keyDetails } from '../../src/sigstore/rekor-v2.ts'
import { witnessesOf } from '../../src/sigstore/witnesses.ts'
import { json } from '../support/sigstore/service.ts'
import { startSigstore, type LocalSigstore } from '../support/sigstore/start-sigstore.ts'
import { WORKFLOW } from '../support/sigstore/tokens.ts'
import { verifyBundle } from './bundles.ts'
import { client, failureOf, type Client } from './client.ts'

const statement = serializeStatement(signatureStatement([digestOf(Buffer.from('image'))]))
const KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

interface Setup extends AsyncDisposable {
  readonly sigstore: LocalSigstore
  readonly http: Client
  readonly log: NonNullable<Witnesses['log']>
  readonly timestamp: NonNullable<Witnesses['timestamp']>
  readonly keyless: () => Promise<SigningIdentity>
}

async function setup(version: 1 | 2, now = Date.now): Promise<Setup> {
  const sigstore = await startSigstore({ rekor: version })
  const http = client()
  const { transport } = http
  const { rekorUrl: url, tsaUrl, fulcioUrl } = sigstore
  const { log, timestamp } = witnessesOf({ log: { url, version }, tsaUrl }, { transport, now })
  if (!log || !timestamp) throw new Error('there is no witness')
  return {
    sigstore,
    http,
    log,
    timestamp,
    keyless: async () => {
      const token = readIdentityToken(sigstore.token(), 'a token', Date.now())
      const keyless = await keylessIdentity({ transport, fulcioUrl, token: () => Promise.resolve(token) })
      return keyless.identity()
    },
    [Symbol.asyncDispose]: async () => {
      await transport.close()
      await sigstore.close()
    },
  }
}

const identityOf = (key: KeyObject): SigningIdentity => {
  const signer = keySigner(key)
  return { signer, by: { publicKey: signer.publicKey } }
}

const logged = async ({ signer, by }: SigningIdentity): Promise<Logged & { readonly envelope: Envelope }> => {
  return { kind: 'dsse', envelope: await signEnvelope(statement, signer), by }
}

describe.each([1, 2] as const)('Rekor %i', version => {
  test('a certificate and its entry verify together, after other entries as well', async () => {
    await using it = await setup(version)
    const identity = await it.keyless()
    for (let entries = 1; entries <= 5; entries++) {
      const what = await logged(identity)
      const { envelope, by } = what
      const entry = await it.log.record(what)
      const timestamps = [await it.timestamp(envelope.signature)]
      const parts = { envelope, by, logEntries: [entry], timestamps }
      const thresholds = { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: version === 1 ? 2 : 1 }
      expect(() => {
        verifyBundle(it.sigstore, parts, thresholds)
      }).not.toThrow()
    }
  })

  test('a key and its entry verify together', async () => {
    await using it = await setup(version)
    const what = await logged(identityOf(KEY))
    const { envelope, by } = what
    const parts = { envelope, by, logEntries: [await it.log.record(what)], timestamps: [] }
    const thresholds = { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: 2 - version }
    expect(() => {
      verifyBundle(it.sigstore, parts, thresholds)
    }).not.toThrow()
  })

  test('an entry of somebody else does not verify', async () => {
    await using it = await setup(version)
    const [one, other] = [await logged(identityOf(KEY)), await logged(identityOf(KEY))]
    const parts = { envelope: one.envelope, by: one.by, logEntries: [await it.log.record(other)], timestamps: [] }
    const thresholds = { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: 0 }
    expect(() => {
      verifyBundle(it.sigstore, parts, thresholds)
    }).toThrow()
  })

  test('a signature of the older form is logged by its hash', async () => {
    await using it = await setup(version)
    const { signer, by } = identityOf(KEY)
    const bytes = Buffer.from('{"critical":{}}')
    const entry = await it.log.record({ kind: 'hashedrekord', bytes, signature: await signer.sign(bytes), by })
    const body = Buffer.from(String(entry['canonicalizedBody']), 'base64').toString()
    const hash = createHash('sha256').update(bytes).digest()
    expect(body).toContain(hash.toString(version === 1 ? 'hex' : 'base64'))
    expect(entry['kindVersion']).toEqual({ kind: 'hashedrekord', version: version === 1 ? '0.0.1' : '0.0.2' })
  })

  test('an entry about another signature is not believed', async () => {
    await using it = await setup(version)
    const [one, other] = [await logged(identityOf(KEY)), await logged(identityOf(KEY))]
    const path = `${it.sigstore.rekorUrl}/api/v${version}/log/entries`
    await it.log.record(one)
    const body = it.sigstore.requests.at(-1)?.body ?? Buffer.alloc(0)
    await using second = await setup(version)
    const answered = await fetch(path.replace(it.sigstore.rekorUrl, second.sigstore.rekorUrl), { method: 'POST', body })
    it.sigstore.fail('rekor', { status: 201, body: Buffer.from(await answered.arrayBuffer()) })
    expect(await failureOf(it.log.record(other))).toMatchObject({
      code: 'LOG_FAILED',
      message: `log entry of ${new URL(path).host}: is about another signature than the one that was sent`,
    })
  })

  test('a log that is down or overloaded is asked again, and then named', async () => {
    await using it = await setup(version)
    it.sigstore.fail('rekor', json(503, { message: 'overloaded' }), 'drop')
    await expect(it.log.record(await logged(identityOf(KEY)))).resolves.toBeDefined()
    it.sigstore.fail('rekor', ...Array.from({ length: 6 }, () => json(500, { code: 500, message: 'trillian failed' })))
    const { host } = new URL(it.sigstore.rekorUrl)
    const failure = await failureOf(it.log.record(await logged(identityOf(KEY))))
    expect(failure).toMatchObject({ code: 'LOG_FAILED', host, status: 500, retriable: true })
    expect(messageOf(failure)).toContain(`${host}: could not log the signature: 500 trillian failed (POST `)
  })

  test('a refusal is told in the words of the log', async () => {
    await using it = await setup(version)
    const { signer, by } = identityOf(KEY)
    const envelope = await signEnvelope(statement, signer)
    const wrong = { kind: 'dsse', envelope: { ...envelope, payload: Buffer.from('other') }, by } as const
    it.sigstore.fail('rekor', json(400, { code: 400, message: 'could not verify envelope' }))
    expect(await failureOf(it.log.record(wrong))).toMatchObject({
      code: 'LOG_FAILED',
      status: 400,
      retriable: false,
      detail: 'could not verify envelope',
      hint: 'the log may not take keys of this kind: ECDSA on P-256 is taken by all',
    })
  })

  test('a log of the other version is found out', async () => {
    await using it = await setup(version)
    it.sigstore.fail('rekor', json(404, { code: 5, message: 'Not Found' }))
    const other = version === 1 ? 2 : 1
    expect(await failureOf(it.log.record(await logged(identityOf(KEY))))).toMatchObject({
      code: 'LOG_FAILED',
      hint: `is "rekor-url" right, and is it Rekor ${version}? For Rekor ${other} set "rekor-version: ${other}"`,
    })
  })

  test('an answer that is none is not put into a bundle', async () => {
    await using it = await setup(version)
    it.sigstore.fail('rekor', json(201, {}))
    expect(await failureOf(it.log.record(await logged(identityOf(KEY))))).toMatchObject({
      code: 'LOG_FAILED',
      message: `log entry of ${new URL(it.sigstore.rekorUrl).host}: the answer cannot be read`,
    })
  })

  test('with a certificate that has expired nothing is written down', async () => {
    let later = 0
    await using it = await setup(version, () => Date.now() + later)
    const what = await logged(await it.keyless())
    later = 11 * 60_000
    const failure = await failureOf(it.log.record(what))
    expect(failure).toMatchObject({ code: 'CERTIFICATE_EXPIRED' })
    expect(messageOf(failure)).toMatch(
      new RegExp(
        `^the certificate for URI:https://github.com/${WORKFLOW} has expired at .*, before its signature was logged$`,
      ),
    )
    expect(it.sigstore.requests.filter(({ service }) => service === 'rekor')).toEqual([])
  })
})

describe('the entry of Rekor 1', () => {
  test('has all that bundles have, in their form', async () => {
    await using it = await setup(1)
    const entry = await it.log.record(await logged(identityOf(KEY)))
    const base64 = expect.stringMatching(/^[A-Za-z0-9+/]+=*$/) as unknown
    expect(entry).toEqual<LogEntry>({
      logIndex: '1000000',
      logId: { keyId: base64 },
      kindVersion: { kind: 'dsse', version: '0.0.1' },
      integratedTime: expect.stringMatching(/^\d+$/) as unknown,
      inclusionPromise: { signedEntryTimestamp: base64 },
      inclusionProof: {
        logIndex: '0',
        rootHash: base64,
        treeSize: '1',
        hashes: [],
        checkpoint: { envelope: expect.stringContaining('\n\n\u2014 ') as unknown },
      },
      canonicalizedBody: base64,
    })
  })

  test('of an Ed25519 key is made of an envelope, but not of a hash', async () => {
    await using it = await setup(1)
    const { privateKey } = generateKeyPairSync('ed25519')
    const { signer, by } = identityOf(privateKey)
    const what = await logged({ signer, by })
    const entry = await it.log.record(what)
    const thresholds = { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: 1 }
    expect(() => {
      verifyBundle(it.sigstore, { envelope: what.envelope, by, logEntries: [entry], timestamps: [] }, thresholds)
    }).not.toThrow()
    const bytes = Buffer.from('{}')
    const older = { kind: 'hashedrekord', bytes, signature: await signer.sign(bytes), by } as const
    expect(await failureOf(it.log.record(older))).toMatchObject({
      code: 'LOG_FAILED',
      message: 'Rekor 1, for signatures of the older form, takes no signatures by keys of this kind: Ed25519',
      hint: 'use ECDSA on P-256 ("oci-publish generate-key-pair"), or sign without a log: leave out "rekor-url"',
    })
  })

  test('that exists is fetched from where the log says it is', async () => {
    await using it = await setup(1)
    const what = await logged(identityOf(KEY))
    const first = await it.log.record(what)
    await it.log.record(await logged(identityOf(KEY)))
    const again = await it.log.record(what)
    const methods = it.sigstore.requests.map(({ method }) => method)
    expect(methods).toEqual(['POST', 'POST', 'POST', 'GET'])
    expect(again['logIndex']).toBe(first['logIndex'])
    const { envelope, by } = what
    const thresholds = { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: 1 }
    expect(() => {
      verifyBundle(it.sigstore, { envelope, by, logEntries: [again], timestamps: [] }, thresholds)
    }).not.toThrow()
  })

  test.each([undefined, 'https://elsewhere.test/api/v1/log/entries/1'])(
    'that exists at %s is not fetched from elsewhere',
    async location => {
      await using it = await setup(1)
      it.sigstore.fail('rekor', json(409, { message: 'exists' }, location === undefined ? {} : { location }))
      expect(messageOf(await failureOf(it.log.record(await logged(identityOf(KEY)))))).toContain(
        'the signature is logged already, and it does not say where',
      )
    },
  )

  test('of a time after the end of the certificate is told at once, not to verifiers', async () => {
    await using late = await startSigstore({ rekor: 1, now: () => new Date(Date.now() + 3_600_000) })
    await using it = await setup(1)
    const { transport } = it.http
    const { log } = witnessesOf({ log: { url: late.rekorUrl, version: 1 }, tsaUrl: undefined }, { transport })
    const what = await logged(await it.keyless())
    expect(await failureOf(log?.record(what) ?? Promise.resolve())).toMatchObject({ code: 'CERTIFICATE_EXPIRED' })
  })
})

describe('the entry of Rekor 2', () => {
  test('has no time and no promise', async () => {
    await using it = await setup(2)
    const entry = await it.log.record(await logged(identityOf(KEY)))
    const known = ['logIndex', 'logId', 'kindVersion', 'inclusionProof', 'canonicalizedBody']
    expect(Object.keys(entry).sort()).toEqual(known.sort())
    expect(entry).toMatchObject({ logIndex: '0', kindVersion: { kind: 'hashedrekord', version: '0.0.2' } })
  })

  test('that exists is not shown again, which is said', async () => {
    await using it = await setup(2)
    const what = await logged(identityOf(KEY))
    await it.log.record(what)
    const failure = await failureOf(it.log.record(what))
    expect(failure).toMatchObject({ code: 'LOG_FAILED', status: 409 })
    expect(failure).toMatchObject({ hint: expect.stringContaining('run it again') as unknown })
  })

  test.each([
    ['P-256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'PKIX_ECDSA_P256_SHA_256'],
    ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'PKIX_ECDSA_P384_SHA_256'],
    ['P-521', () => generateKeyPairSync('ec', { namedCurve: 'P-521' }), 'PKIX_ECDSA_P521_SHA_256'],
    ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 }), 'PKIX_RSA_PKCS1V15_2048_SHA256'],
  ])('names a key on %s as it signs here', async (_, generate, details) => {
    const { privateKey } = generate()
    await using it = await setup(2)
    const entry = await it.log.record(await logged(identityOf(privateKey)))
    expect(Buffer.from(String(entry['canonicalizedBody']), 'base64').toString()).toContain(`"keyDetails":"${details}"`)
  })

  test.each([
    ['secp256k1', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
    ['Ed25519', () => generateKeyPairSync('ed25519')],
    ['RSA of 2056 bits', () => generateKeyPairSync('rsa', { modulusLength: 2056 })],
  ])('cannot be made for a key on %s, which is said before the log is asked', (kind, generate) => {
    expect(() => keyDetails(generate().publicKey)).toThrow(`Rekor 2 takes no signatures by keys of this kind: ${kind}`)
  })
})
