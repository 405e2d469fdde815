import { createHash, generateKeyPairSync } from 'node:crypto'
import * as fc from 'fast-check'
import { composeBundle, parseBundle, type BundleParts } from '../../src/sign/bundle.ts'
import { BUNDLE_TYPE } from '../../src/sign/media-types.ts'
import { IN_TOTO } from '../../src/sign/envelope.ts'
import { refusal } from './refusal.ts'
import { LOG_ENTRY } from './some-bundles.ts'
import { someCertificate } from './some-certificates.ts'

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const { certificate } = someCertificate()
const envelope = { payloadType: IN_TOTO, payload: Buffer.from('{"a":1}'), signature: Buffer.from('signature') }
const KEY: BundleParts = { envelope, by: { publicKey }, logEntries: [], timestamps: [] }
const KEYLESS: BundleParts = {
  envelope,
  by: { certificate, chain: [someCertificate().certificate] },
  logEntries: [LOG_ENTRY],
  timestamps: [Buffer.from('response')],
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

describe('composeBundle()', () => {
  test('writes for a key what cosign 3 writes, to the byte', () => {
    const hint = createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64')
    expect(textOf(composeBundle(KEY))).toBe(
      `{"mediaType":"${BUNDLE_TYPE}","verificationMaterial":{"publicKey":{"hint":"${hint}"}},` +
        `"dsseEnvelope":{"payload":"eyJhIjoxfQ==","payloadType":"${IN_TOTO}","signatures":[{"sig":"c2lnbmF0dXJl"}]}}`,
    )
  })

  test('writes one certificate and no chain, the log entry as it came, and the timestamp', () => {
    expect(JSON.parse(textOf(composeBundle(KEYLESS)))).toEqual({
      mediaType: BUNDLE_TYPE,
      verificationMaterial: {
        certificate: { rawBytes: certificate.raw.toString('base64') },
        tlogEntries: [LOG_ENTRY],
        timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: 'cmVzcG9uc2U=' }] },
      },
      dsseEnvelope: expect.anything() as unknown,
    })
  })

  test('refuses a log entry that would make the bundle invisible', () => {
    const entry = { ...LOG_ENTRY, inclusionProof: undefined }
    expect(() => composeBundle({ ...KEY, logEntries: [LOG_ENTRY, entry] })).toThrow(
      'bundle: log entry 2 has no inclusion proof',
    )
  })

  test('refuses what it would not read', () => {
    const payload = new Uint8Array(19 << 20)
    expect(() => composeBundle({ ...KEY, envelope: { ...envelope, payload } })).toThrow(
      refusal('TOO_LARGE', 'have 25165824 at most'),
    )
  })
})

describe('parseBundle()', () => {
  test('reads what was written, of a key', () => {
    const parsed = parseBundle(composeBundle(KEY), 'bundle')
    expect(parsed).toMatchObject({ envelope, certificate: undefined, logEntries: [], timestamps: [] })
    expect(parsed.keyHint).toMatch(/^[A-Za-z0-9+/]{43}=$/)
  })

  test('reads what was written, of a certificate', () => {
    const bytes = composeBundle(KEYLESS)
    const parsed = parseBundle(bytes, 'bundle')
    expect(parsed.certificate?.raw).toEqual(certificate.raw)
    expect(parsed).toMatchObject({ envelope, keyHint: undefined, logEntries: [LOG_ENTRY] })
    expect(parsed.timestamps.map(textOf)).toEqual(['response'])
    expect(parsed.json).toEqual(JSON.parse(textOf(bytes)))
  })

  test('whatever is signed comes back to the byte', () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array(), fc.uint8Array(), (payloadType, payload, signature) => {
        const parts = { ...KEY, envelope: { payloadType, payload, signature } }
        const back = parseBundle(composeBundle(parts), 'bundle').envelope
        expect([back.payloadType, ...[back.payload, back.signature].map(one => [...one])]).toEqual([
          payloadType,
          [...payload],
          [...signature],
        ])
      }),
    )
  })

  const rawBytes = certificate.raw.toString('base64')
  const written = (change: object, material: object = { publicKey: {} }): Uint8Array => {
    const dsseEnvelope = { payload: 'e30=', payloadType: IN_TOTO, signatures: [{ sig: 'c2ln', keyid: 'x' }] }
    return Buffer.from(
      JSON.stringify({ mediaType: BUNDLE_TYPE, verificationMaterial: material, dsseEnvelope, ...change }),
    )
  }
  const OLDER = 'application/vnd.dev.sigstore.bundle+json;version='

  test('reads the spelling of the type that the first tools had', () => {
    const bytes = written({ mediaType: `${OLDER}0.3` }, { certificate: { rawBytes } })
    expect(parseBundle(bytes, 'bundle').certificate?.raw).toEqual(certificate.raw)
  })

  test('reads a bundle that says nothing of its key', () => {
    expect(parseBundle(written({}), 'bundle')).toMatchObject({ certificate: undefined, keyHint: undefined })
  })

  test.each(['0.1', '0.2'])('reads version %s, whose certificate has a chain', version => {
    const { raw } = someCertificate().certificate
    const material = { x509CertificateChain: { certificates: [{ rawBytes }, { rawBytes: raw.toString('base64') }] } }
    const bytes = written({ mediaType: `${OLDER}${version}` }, { ...material, tlogEntries: [LOG_ENTRY] })
    expect(parseBundle(bytes, 'bundle').certificate?.raw).toEqual(certificate.raw)
  })

  test('reads base64 for URLs and null for what is not there, as readers of protojson have to', () => {
    const signatures = [{ sig: '-_8=' }]
    const dsseEnvelope = { payload: 'e30', payloadType: IN_TOTO, signatures }
    const bytes = written({ dsseEnvelope, messageSignature: null }, { publicKey: { hint: null }, tlogEntries: null })
    expect([...parseBundle(bytes, 'bundle').envelope.signature]).toEqual([0xfb, 0xff])
  })

  const message = { messageSignature: { signature: 'c2ln' }, dsseEnvelope: undefined }
  const chain = { x509CertificateChain: { certificates: [{ rawBytes }] } }
  const unproven = { ...LOG_ENTRY, inclusionProof: undefined }
  const unpromised = { ...LOG_ENTRY, inclusionPromise: undefined }
  test.each([
    ['no JSON', Buffer.from('{'), 'bundle: not JSON'],
    ['no object', Buffer.from('[]'), 'bundle: mediaType is missing'],
    ['another type', written({ mediaType: 'application/json' }), 'is of type "application/json", not a bundle'],
    [
      'a version to come',
      written({ mediaType: 'application/vnd.dev.sigstore.bundle.v0.4+json' }),
      'is of type "application/vnd.dev.sigstore.bundle.v0.4+json", a bundle of a version that is not known',
    ],
    [
      'the signature of a file',
      written(message),
      'holds the signature of a file (messageSignature); images and artifacts are signed by bundles with an envelope',
    ],
    ['nothing signed', written({ dsseEnvelope: undefined }), 'holds nothing that is signed'],
    ['a chain in version 0.3', written({}, chain), 'has a chain, and bundles of version 0.3 have one certificate'],
    ['an empty chain', written({ mediaType: `${OLDER}0.2` }, { x509CertificateChain: {} }), 'has a chain of nothing'],
    ['nobody who signed', written({}, {}), 'has to have one of publicKey, certificate and x509CertificateChain'],
    ['key and certificate', written({}, { publicKey: {}, certificate: { rawBytes } }), 'has to have one of publicKey'],
    ['no certificate in it', written({}, { certificate: { rawBytes: 'e30=' } }), 'certificate: is not an X.509 cert'],
    ['bytes that are none', written({}, { certificate: { rawBytes: '!' } }), 'certificate.rawBytes is not base64'],
    ['bytes of half an octet', written({}, { certificate: { rawBytes: 'AAAAA' } }), 'rawBytes is not base64'],
    ['an unproven entry', written({}, { publicKey: {}, tlogEntries: [unproven] }), 'entry 1 has no inclusion proof'],
    [
      'an unpromised entry in version 0.1',
      written({ mediaType: `${OLDER}0.1` }, { ...chain, tlogEntries: [unpromised] }),
      'log entry 1 has no inclusion promise',
    ],
    [
      'two signatures',
      written({ dsseEnvelope: { payload: '', payloadType: '', signatures: [{ sig: '' }, { sig: '' }] } }),
      'dsseEnvelope.signatures has to be of one signature',
    ],
    [
      'no signature',
      written({ dsseEnvelope: { payload: '', payloadType: '', signatures: [] } }),
      'dsseEnvelope.signatures has to be of one signature',
    ],
  ])('says what is wrong with %s', (_, bytes, because) => {
    expect(() => parseBundle(bytes, 'bundle')).toThrow(refusal('INVALID_DOCUMENT', because))
  })

  test('does not even look at what is too large', () => {
    expect(() => parseBundle(Buffer.alloc((24 << 20) + 1), 'r.example/app@sha256:1')).toThrow(
      'r.example/app@sha256:1: has 25165825 bytes; bundles have 25165824 at most',
    )
  })
})
