import { extensionsOf, identityOf, readCertificate } from '../../src/sign/certificate.ts'
import { TLS_IDENTITY } from '../support/tls-identity.ts'
import { X509Certificate } from 'node:crypto'
import { refusal } from './refusal.ts'
import { ISSUER, SAN, der, extension, oid, someCertificate, uri, utf8 } from './some-certificates.ts'

describe('identityOf()', () => {
  test('tells who a workflow of GitHub is, and which run of it signed', () => {
    const claims = {
      1: Buffer.from('https://an.older.issuer'),
      8: utf8(ISSUER),
      9: utf8(SAN),
      12: utf8('https://github.com/team/app'),
      13: utf8('c0ffee'.padEnd(40, '0')),
      14: utf8('refs/heads/main'),
      20: utf8('push'),
      21: utf8('https://github.com/team/app/actions/runs/1/attempts/1'),
      22: utf8('public'),
    }
    expect(identityOf(someCertificate({ claims }).certificate)).toEqual({
      san: SAN,
      sanType: 'uri',
      issuer: ISSUER,
      buildSignerUri: SAN,
      sourceRepositoryUri: 'https://github.com/team/app',
      sourceRepositoryDigest: 'c0ffee'.padEnd(40, '0'),
      sourceRepositoryRef: 'refs/heads/main',
      buildTrigger: 'push',
      runInvocationUri: 'https://github.com/team/app/actions/runs/1/attempts/1',
      sourceRepositoryVisibility: 'public',
    })
  })

  const otherName = der(0xa0, oid('1.3.6.1.4.1.57264.1.7'), der(0xa0, utf8('robot!example.com')))
  test.each([
    ['a person', der(0x81, Buffer.from('somebody@example.com')), { san: 'somebody@example.com', sanType: 'email' }],
    ['a name that only the issuer knows', otherName, { san: 'robot!example.com', sanType: 'other' }],
    [
      'a URI before an address that comes first',
      Buffer.concat([der(0x81, Buffer.from('a@b.example')), uri(SAN)]),
      { san: SAN, sanType: 'uri' },
    ],
    [
      'what node would escape',
      uri('https://a.example/x, URI:y'),
      { san: 'https://a.example/x, URI:y', sanType: 'uri' },
    ],
  ])('tells %s', (_, san, identity) => {
    expect(identityOf(someCertificate({ san }).certificate)).toMatchObject(identity)
  })

  test('reads the issuer of certificates before Fulcio 1.0, which is not wrapped', () => {
    const { certificate } = someCertificate({ claims: { 1: Buffer.from(ISSUER) } })
    expect(identityOf(certificate)).toMatchObject({ issuer: ISSUER, buildTrigger: undefined })
  })

  test('says nothing of an issuer that is not there', () => {
    expect(identityOf(someCertificate({ claims: {} }).certificate).issuer).toBeUndefined()
  })

  test.each([
    ['no name at all', { san: undefined }, 'names nobody: it has no subject alternative name'],
    ['a host name only', { san: der(0x82, Buffer.from('a.example')) }, 'names nobody'],
    ['an issuer of another type', { claims: { 8: der(0x13, Buffer.from(ISSUER)) } }, 'a claim of it is not UTF-8 text'],
    ['an issuer that is not wrapped', { claims: { 8: Buffer.from(ISSUER) } }, 'is not DER'],
    ['text that is not UTF-8', { claims: { 8: der(0x0c, Buffer.from([0xff])) } }, 'a claim of it is not UTF-8 text'],
  ])('a certificate with %s is refused', (_, words, because) => {
    expect(() => identityOf(someCertificate(words).certificate)).toThrow(refusal('INVALID_DOCUMENT', because))
  })
})

describe('extensionsOf()', () => {
  test('reads those of a certificate that openssl made', () => {
    const extensions = extensionsOf(new X509Certificate(TLS_IDENTITY.cert))
    expect([...extensions.keys()]).toEqual(['2.5.29.17', '2.5.29.19', '2.5.29.14'])
    expect(extensions.get('2.5.29.19')).toEqual({ critical: true, value: Buffer.from('30030101ff', 'hex') })
    expect(extensions.get('2.5.29.14')?.critical).toBe(false)
  })

  test('an extension that says it is not critical is not', () => {
    const { certificate } = someCertificate({ more: [extension('1.2.3', Buffer.from('x'), false)] })
    expect(extensionsOf(certificate).get('1.2.3')).toEqual({ critical: false, value: Buffer.from('x') })
  })

  test('a certificate without any has none', () => {
    expect(extensionsOf(someCertificate({ san: undefined, claims: {} }).certificate).size).toBe(0)
  })

  test('an extension that is there twice is refused: readers would differ in which one counts', () => {
    const { certificate } = someCertificate({ more: [extension('2.5.29.17', der(0x30, uri('https://evil.example')))] })
    expect(() => extensionsOf(certificate)).toThrow('certificate 07: has the extension 2.5.29.17 twice')
  })
})

describe('readCertificate()', () => {
  const { raw } = someCertificate().certificate

  test('reads DER', () => {
    expect(readCertificate(raw, 'bundle').raw).toEqual(raw)
  })

  test.each([
    ['PEM', Buffer.from(TLS_IDENTITY.cert), 'bundle: is not the DER of one X.509 certificate'],
    ['something after it', Buffer.concat([raw, Buffer.from('x')]), 'bundle: is not the DER of one X.509 certificate'],
    ['something else', Buffer.from('{}'), 'bundle: is not an X.509 certificate'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readCertificate(bytes, 'bundle')).toThrow(refusal('INVALID_DOCUMENT', message))
  })
})
