import { readAll } from '../../src/content/verify.ts'
import { digestOf, parseDigest } from '../../src/oci/digest.ts'
import { legacyLayer, legacyPayload, legacyTag } from '../../src/sign/legacy.ts'
import { parseLegacy, parseLegacyPayload } from '../../src/sign/parse-legacy.ts'
import { refusal } from './refusal.ts'
import { DIGEST, LOG_ENTRY, someKey } from './some-bundles.ts'
import { someCertificate } from './some-certificates.ts'

const IMAGE = { host: '127.0.0.1:5000', repository: 'app' } as const
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

describe('legacyTag()', () => {
  test('is where cosign looks', () => {
    const digest = parseDigest(`sha256:${'ab'.repeat(32)}`)
    expect(legacyTag(digest)).toBe(`sha256-${'ab'.repeat(32)}.sig`)
  })

  test('says what to do where there is no such tag', () => {
    const digest = parseDigest(`sha512:${'ab'.repeat(64)}`)
    expect(() => legacyTag(digest)).toThrow(
      refusal('UNSUPPORTED', 'is too long for the tag of signatures in the older form'),
    )
  })
})

describe('legacyPayload()', () => {
  test('is what cosign signs, to the byte', () => {
    expect(textOf(legacyPayload(IMAGE, DIGEST))).toBe(
      '{"critical":{"identity":{"docker-reference":"127.0.0.1:5000/app"},' +
        `"image":{"docker-manifest-digest":"${DIGEST}"},"type":"cosign container image signature"},"optional":null}`,
    )
  })

  test('has annotations as cosign has them', () => {
    expect(textOf(legacyPayload(IMAGE, DIGEST, { b: '2', a: '<x>' }))).toContain(
      ',"optional":{"a":"\\u003cx\\u003e","b":"2"}}',
    )
  })

  test('calls Docker Hub by the name that cosign has for it', () => {
    const payload = legacyPayload({ host: 'docker.io', repository: 'library/alpine' }, DIGEST)
    expect(textOf(payload)).toContain('{"docker-reference":"index.docker.io/library/alpine"}')
  })

  test('is read as what was said', () => {
    expect(parseLegacyPayload(legacyPayload(IMAGE, DIGEST, { a: '<x>' }), 'payload')).toEqual({
      digest: DIGEST,
      reference: '127.0.0.1:5000/app',
      annotations: { a: '<x>' },
    })
  })
})

describe('parseLegacyPayload()', () => {
  const says = (digest: string, type: string, optional?: unknown): Uint8Array => {
    const image = { 'docker-manifest-digest': digest }
    return Buffer.from(JSON.stringify({ critical: { identity: { 'docker-reference': 'x' }, image, type }, optional }))
  }

  test('reads what podman says besides, and keeps the texts of it', () => {
    const payload = says(DIGEST, 'cosign container image signature', { creator: 'podman', timestamp: 1767323045 })
    expect(parseLegacyPayload(payload, 'payload').annotations).toEqual({ creator: 'podman' })
  })

  test.each([
    ['no JSON', Buffer.from('x'), 'payload: not JSON'],
    ['nothing critical', Buffer.from('{}'), 'payload: critical is missing'],
    [
      'no digest',
      says('v1', 'cosign container image signature'),
      'critical.image.docker-manifest-digest is not a digest',
    ],
    ['another kind of signature', says(DIGEST, 'atomic'), 'type is not "cosign container image signature"'],
  ])('refuses %s', (_, bytes, because) => {
    expect(() => parseLegacyPayload(bytes, 'payload')).toThrow(refusal('INVALID_DOCUMENT', because))
  })
})

const payload = legacyPayload(IMAGE, DIGEST)
const { certificate } = someCertificate()
const chain = [someCertificate().certificate, someCertificate().certificate]
const KEYLESS = { payload, signature: Buffer.from('signature'), by: { certificate, chain } }

describe('legacyLayer()', () => {
  test('of a key has the signature and nothing else', async () => {
    const layer = legacyLayer({ payload, signature: Buffer.from('signature'), by: someKey().by })
    expect(layer.descriptor).toEqual({
      mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
      size: payload.byteLength,
      digest: digestOf(payload),
      annotations: { 'dev.cosignproject.cosign/signature': 'c2lnbmF0dXJl' },
    })
    expect(await readAll(layer.open(), { maxBytes: 4096, what: 'layer' })).toEqual(payload)
  })

  test('of a certificate has all that a verifier needs, as cosign writes it', () => {
    const { annotations } = legacyLayer({
      ...KEYLESS,
      logEntry: LOG_ENTRY,
      timestamp: Buffer.from('response'),
    }).descriptor
    expect(annotations).toEqual({
      'dev.cosignproject.cosign/signature': 'c2lnbmF0dXJl',
      'dev.sigstore.cosign/certificate': certificate.toString(),
      'dev.sigstore.cosign/chain': chain.map(String).join(''),
      'dev.sigstore.cosign/bundle':
        '{"SignedEntryTimestamp":"cHJvbWlzZQ==","Payload":{"body":"eyJraW5kIjoiZHNzZSJ9",' +
        `"integratedTime":1767323045,"logIndex":1234567890123,"logID":"${'07'.repeat(32)}"}}`,
      'dev.sigstore.cosign/rfc3161timestamp': '{"SignedRFC3161Timestamp":"cmVzcG9uc2U="}',
    })
  })

  test('the first entry of a log has the index 0, which protojson leaves out', () => {
    const logEntry = { ...LOG_ENTRY, logIndex: undefined }
    const { annotations = {} } = legacyLayer({ ...KEYLESS, logEntry }).descriptor
    expect(annotations['dev.sigstore.cosign/bundle']).toContain('"logIndex":0,')
  })

  test('an entry of Rekor v2 cannot be carried, and what can be done is said', () => {
    const logEntry = { ...LOG_ENTRY, inclusionPromise: undefined }
    expect(() => legacyLayer({ ...KEYLESS, logEntry })).toThrow(
      refusal(
        'UNSUPPORTED',
        'a signature in the older form cannot carry an entry of Rekor v2: the log promises nothing',
      ),
    )
  })

  test('an index that a number cannot hold is refused, not rounded', () => {
    const logEntry = { ...LOG_ENTRY, logIndex: '9007199254740993' }
    expect(() => legacyLayer({ ...KEYLESS, logEntry })).toThrow(refusal('INVALID_DOCUMENT', 'logIndex is not a whole'))
  })
})

describe('parseLegacy()', () => {
  test('reads what was written', () => {
    const layers = [
      legacyLayer({ ...KEYLESS, logEntry: LOG_ENTRY, timestamp: Buffer.from('response') }).descriptor,
      legacyLayer({ ...KEYLESS, by: someKey().by }).descriptor,
    ]
    const [keyless, key] = parseLegacy({ layers }, 'r.example/app:x.sig')
    expect(keyless).toMatchObject({ payload: layers[0], signature: Buffer.from('signature') })
    expect(keyless?.certificate?.raw).toEqual(certificate.raw)
    expect(keyless?.chain.map(({ raw }) => raw)).toEqual(chain.map(({ raw }) => raw))
    expect(keyless?.timestamp).toEqual(Buffer.from('response'))
    expect(keyless?.log).toEqual({
      signedEntryTimestamp: Buffer.from('promise'),
      body: Buffer.from('{"kind":"dsse"}'),
      integratedTime: 1767323045,
      logIndex: 1234567890123,
      logId: '07'.repeat(32),
    })
    expect(key).toMatchObject({ certificate: undefined, chain: [], log: undefined, timestamp: undefined })
  })

  test('leaves out layers that are something else', () => {
    const { descriptor } = legacyLayer(KEYLESS)
    expect(parseLegacy({ layers: [{ ...descriptor, mediaType: 'text/plain' }] }, 'x')).toEqual([])
  })

  test('takes for absent what cosign writes of what it has not got', () => {
    const { descriptor } = legacyLayer({ ...KEYLESS, by: someKey().by })
    const nothing = { 'dev.sigstore.cosign/certificate': '', 'dev.sigstore.cosign/bundle': 'null' }
    const [signature] = parseLegacy(
      { layers: [{ ...descriptor, annotations: { ...descriptor.annotations, ...nothing } }] },
      'x',
    )
    expect(signature).toMatchObject({ certificate: undefined, log: undefined })
  })

  const SIGNATURE = 'dev.cosignproject.cosign/signature'
  test.each([
    ['no signature', { [SIGNATURE]: undefined }, 'x, signature 1, dev.cosignproject.cosign/signature: it is not text'],
    ['a signature that is none', { [SIGNATURE]: '!' }, 'it is not base64'],
    ['no certificate in PEM', { 'dev.sigstore.cosign/certificate': 'x' }, 'certificate: has 0 certificates in PEM'],
    [
      'two certificates',
      { 'dev.sigstore.cosign/certificate': `${String(certificate)}${String(certificate)}` },
      'has several certificates',
    ],
    [
      'a broken certificate',
      { 'dev.sigstore.cosign/certificate': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
      'certificate: is not an X.509 certificate',
    ],
    ['a log entry that is none', { 'dev.sigstore.cosign/bundle': '{}' }, 'SignedEntryTimestamp'],
    ['a timestamp that is none', { 'dev.sigstore.cosign/rfc3161timestamp': '[' }, 'rfc3161timestamp: not JSON'],
  ])('tells of %s, and reads the others', (_, broken, because) => {
    const { descriptor } = legacyLayer({ ...KEYLESS, by: someKey().by })
    const changed = Object.entries({ ...descriptor.annotations, ...broken }).filter(([, value]) => value !== undefined)
    const annotations = Object.fromEntries(changed) as Record<string, string>
    const told: string[] = []
    const signatures = parseLegacy({ layers: [{ ...descriptor, annotations }, descriptor] }, 'x', text =>
      told.push(text),
    )
    expect(signatures).toHaveLength(1)
    expect(told).toHaveLength(1)
    expect(told[0]).toContain(because)
  })
})
