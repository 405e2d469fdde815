import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { Digest } from '../../src/oci/digest.ts'
import { hasEqualLegacySignature, isEqualStatement } from '../../src/sign/equal.ts'
import type { FoundBundle } from '../../src/sign/find-bundles.ts'
import { keySigner } from '../../src/sign/key-signer.ts'
import { legacyLayer, legacyPayload } from '../../src/sign/legacy.ts'
import { parseLegacy, type LegacySignature } from '../../src/sign/parse-legacy.ts'
import type { SignedBy } from '../../src/sign/signer.ts'
import { signatureStatement, type Statement } from '../../src/sign/statement.ts'
import { DIGEST, LOG_ENTRY, OTHER, someBundle, someKey, type SomeIdentity } from './some-bundles.ts'
import { SAN, someCertificate, uri, utf8, type CertificateWords } from './some-certificates.ts'

const key = someKey()
const authority = someCertificate()
const SIGNATURE = signatureStatement([DIGEST])
const PROVENANCE = 'https://slsa.dev/provenance/v1'

function certified(words: CertificateWords = {}): SomeIdentity {
  const { certificate, privateKey } = someCertificate({ authority: authority.privateKey, ...words })
  return { by: { certificate, chain: [authority.certificate] }, privateKey }
}

const stated = (predicate: unknown, predicateType = 'https://example.com/p'): Statement => ({
  subjects: [{ digest: DIGEST }],
  predicateType,
  predicate,
})

const provenance = (metadata: object | undefined, buildType = 'a'): Statement => {
  const runDetails = { builder: { id: 'b' }, ...(metadata && { metadata }) }
  return stated({ buildDefinition: { buildType }, runDetails }, PROVENANCE)
}

interface Wanted {
  readonly statement?: Statement
  readonly subject?: Digest
  readonly by?: SignedBy
}

const isEqual = (existing: FoundBundle, { statement = SIGNATURE, subject = DIGEST, by = key.by }: Wanted): boolean =>
  isEqualStatement(existing, { statement, subject, by })

describe('what is stated', () => {
  const annotated = signatureStatement([DIGEST], { env: 'prod' })
  const inOrder = stated({ a: 1, b: [{ c: 2, d: 3 }] })
  test.each<[string, Statement, Statement, boolean]>([
    ['the same', SIGNATURE, SIGNATURE, true],
    ['the same of several subjects', signatureStatement([OTHER, DIGEST]), SIGNATURE, true],
    ['another subject', signatureStatement([OTHER]), SIGNATURE, false],
    ['another predicate type', { ...SIGNATURE, predicateType: 'https://example.com/x' }, SIGNATURE, false],
    ['annotations that the other lacks', annotated, SIGNATURE, false],
    ['annotations that it lacks', SIGNATURE, annotated, false],
    ['the same annotations', annotated, annotated, true],
    ['no annotations instead of none in it', { ...SIGNATURE, subjects: [{ digest: DIGEST }] }, SIGNATURE, true],
    ['another predicate', stated({ a: 1 }), stated({ a: 2 }), false],
    ['the same predicate in another order', inOrder, stated({ b: [{ d: 3, c: 2 }], a: 1 }), true],
    ['a list in another order', stated({ a: [1, 2] }), stated({ a: [2, 1] }), false],
    ['what JSON leaves out', stated({ a: 1 }), stated({ a: 1, b: undefined }), true],
    ['provenance of another run', provenance({ invocationId: '1' }), provenance({ invocationId: '2' }), true],
    ['provenance without a run', provenance(undefined), provenance({ invocationId: '2' }), true],
    ['provenance of another build', provenance({}, 'a'), provenance({}, 'b'), false],
    [
      'metadata in something else',
      stated({ runDetails: { metadata: 1 } }),
      stated({ runDetails: { metadata: 2 } }),
      false,
    ],
  ])('%s', async (_, existing, wanted, equal) => {
    expect(isEqual(await someBundle(key, existing), { statement: wanted })).toBe(equal)
  })

  test('a subject that is not asked about does not count', async () => {
    const statement = signatureStatement([DIGEST, OTHER])
    expect(isEqual(await someBundle(key, SIGNATURE), { statement, subject: OTHER })).toBe(false)
  })
})

describe('who signed', () => {
  const witnessed = { logEntries: [LOG_ENTRY] }
  const workflow = certified()
  const imitator = certified({ authority: someCertificate().privateKey })
  const other = { san: uri('https://github.com/evil/app/.github/workflows/x.yml@refs/heads/main') }
  test.each<[string, SomeIdentity, SignedBy, boolean]>([
    ['the same key', key, key.by, true],
    ['another key', key, someKey().by, false],
    ['the same identity with a certificate of another run', certified(), workflow.by, true],
    ['another workflow', certified(other), workflow.by, false],
    ['a name that only begins in the same way', certified({ san: uri(`${SAN}x`) }), workflow.by, false],
    ['the same name by another issuer', certified({ claims: { 8: utf8('https://evil.example') } }), workflow.by, false],
    ['the same name by no issuer', certified({ claims: {} }), workflow.by, false],
    ['a certificate that names nobody', certified({ san: undefined }), workflow.by, false],
    ['a certificate that an imitator made', imitator, workflow.by, false],
    ['a key, where a certificate is wanted', key, workflow.by, false],
    ['a certificate of the key that is wanted', workflow, { publicKey: createPublicKey(workflow.privateKey) }, false],
  ])('%s', async (_, existing, by, equal) => {
    expect(isEqual(await someBundle(existing, SIGNATURE, witnessed), { by })).toBe(equal)
  })

  test.each([
    ['a key', key, key.by],
    ['a certificate', workflow, workflow.by],
  ])('a signature of %s that is wrong does not stand in the way of a right one', async (_, identity, by) => {
    const forged = await someBundle({ by: identity.by, privateKey: someKey().privateKey }, SIGNATURE, witnessed)
    expect(isEqual(forged, { by })).toBe(false)
  })

  test('a certificate of a key that cannot sign is nobody', async () => {
    const { publicKey } = generateKeyPairSync('x25519')
    const identity = certified({ key: { publicKey, privateKey: key.privateKey } })
    expect(isEqual(await someBundle(identity, SIGNATURE, witnessed), { by: workflow.by })).toBe(false)
  })
})

const timestamps = [Buffer.from('response')]
const logEntries = [LOG_ENTRY]
const WITNESSES: readonly (readonly [string, boolean, object, { log?: boolean; timestamp?: boolean }, boolean])[] = [
  ['a key needs none', false, {}, {}, true],
  ['a key with more than is wanted', false, { logEntries, timestamps }, {}, true],
  ['a log that is lacking', false, {}, { log: true }, false],
  ['a log that is there', false, { logEntries }, { log: true }, true],
  ['a timestamp that is lacking', false, { logEntries }, { timestamp: true }, false],
  ['a timestamp that is there', false, { timestamps }, { timestamp: true }, true],
  ['a certificate needs one: it is dead in ten minutes', true, {}, {}, false],
  ['a certificate with a log', true, { logEntries }, {}, true],
  ['a certificate with a timestamp', true, { timestamps }, {}, true],
]

test.each(WITNESSES)('witnesses: %s', async (_, isCertified, parts, wanted, equal) => {
  const identity = isCertified ? certified() : key
  const existing = await someBundle(identity, SIGNATURE, parts)
  expect(isEqualStatement(existing, { statement: SIGNATURE, subject: DIGEST, by: identity.by, ...wanted })).toBe(equal)
})

describe('hasEqualLegacySignature()', () => {
  const payload = legacyPayload({ host: 'r.example', repository: 'app' }, DIGEST)
  const made = async ({ by, privateKey }: SomeIdentity, bytes = payload): Promise<LegacySignature> => {
    const signature = await keySigner(privateKey).sign(bytes)
    const { descriptor } = legacyLayer({ payload: bytes, signature, by, logEntry: LOG_ENTRY })
    const [one] = parseLegacy({ layers: [descriptor] }, 'x')
    if (!one) throw new TypeError('it is there')
    return one
  }

  test('finds it among those of others', async () => {
    const existing = [await made(someKey()), await made(certified()), await made(key)]
    expect(hasEqualLegacySignature(existing, { payload, by: key.by, log: true })).toBe(true)
    expect(hasEqualLegacySignature(existing, { payload, by: certified().by })).toBe(true)
    expect(hasEqualLegacySignature(existing, { payload, by: someKey().by })).toBe(false)
    expect(hasEqualLegacySignature(existing, { payload, by: key.by, timestamp: true })).toBe(false)
  })

  test('a signature of another image does not count, even under the wrong tag', async () => {
    const other = legacyPayload({ host: 'r.example', repository: 'app' }, OTHER)
    expect(hasEqualLegacySignature([await made(key, other)], { payload, by: key.by })).toBe(false)
  })

  test('nothing is equal to nothing', () => {
    expect(hasEqualLegacySignature([], { payload, by: key.by })).toBe(false)
  })
})
