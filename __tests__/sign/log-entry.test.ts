import type { TransparencyLogEntry } from '@sigstore/protobuf-specs'
import { logEntryProblem } from '../../src/sign/log-entry.ts'
import { someCertificate } from './some-certificates.ts'
import { bareKey } from './keyless.ts'

const { certificate } = someCertificate()
const { publicKey } = bareKey()
const der = publicKey.export({ type: 'spki', format: 'der' })
const pem = publicKey.export({ type: 'spki', format: 'pem' })
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64')

const [certificatePem, keyPem] = [base64(certificate.toString()), base64(pem)]
const hashedRekord = (content: string): object => ({ spec: { signature: { publicKey: { content } } } })
const dsse = (verifier: string): object => ({ spec: { signatures: [{ verifier }] } })
const intoto = (key: string): object => ({ spec: { content: { envelope: { signatures: [{ publicKey: key }] } } } })
const hashedRekord2 = (verifier: object): object => ({ spec: { hashedRekordV002: { signature: { verifier } } } })
const inDer = (bytes: Uint8Array): object => ({ rawBytes: base64(bytes) })

/** The body of an entry of each kind in use, with who signed in the words of that kind. */
const KINDS: readonly (readonly [kind: string, certified: object, keyed: object])[] = [
  ['hashedrekord 0.0.1', hashedRekord(certificatePem), hashedRekord(keyPem)],
  ['dsse 0.0.1', dsse(certificatePem), dsse(keyPem)],
  ['intoto 0.0.2', intoto(certificatePem), intoto(keyPem)],
  [
    'hashedrekord 0.0.2',
    hashedRekord2({ x509Certificate: inDer(certificate.raw) }),
    hashedRekord2({ publicKey: inDer(der) }),
  ],
]

const entryOf = (body: unknown): TransparencyLogEntry => ({
  logIndex: '1',
  logId: undefined,
  kindVersion: undefined,
  integratedTime: '1',
  inclusionPromise: { signedEntryTimestamp: Buffer.alloc(0) },
  inclusionProof: undefined,
  canonicalizedBody: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
})

const certified = { certificate, key: certificate.publicKey }
const keyed = { certificate: undefined, key: publicKey }

test.each(KINDS)('%s says who signed', (_, withCertificate, withKey) => {
  expect(logEntryProblem(entryOf(withCertificate), certified)).toBeUndefined()
  expect(logEntryProblem(entryOf(withKey), keyed)).toBeUndefined()
})

test.each(KINDS)(
  '%s about somebody else is refused, also about the same key without its certificate',
  (_, withCertificate, withKey) => {
    const other = someCertificate().certificate
    const bare = dsse(base64(certificate.publicKey.export({ type: 'spki', format: 'pem' })))
    const another = 'the log entry is about another'
    expect(logEntryProblem(entryOf(withCertificate), { certificate: other, key: other.publicKey })).toBe(
      `${another} certificate`,
    )
    expect(logEntryProblem(entryOf(withKey), certified)).toBe(`${another} certificate`)
    expect(logEntryProblem(entryOf(bare), certified)).toBe(`${another} certificate`)
    expect(logEntryProblem(entryOf(withKey), { ...keyed, key: bareKey().publicKey })).toBe(`${another} key`)
    expect(logEntryProblem(entryOf(withCertificate), keyed)).toBe(`${another} key`)
  },
)

test.each([
  ['{}'],
  ['x'],
  ['{"spec":{"signatures":[]}}'],
  ['{"spec":{"hashedRekordV002":{"signature":{"verifier":{}}}}}'],
])('an entry that does not say who signed is refused: %s', body => {
  expect(logEntryProblem(entryOf(body), keyed)).toBe('the log entry does not say by whom the signature is')
})
