import * as fc from 'fast-check'
import { createPublicKey, sign as signWith, type KeyObject } from 'node:crypto'
import { flattenedVerify, type FlattenedJWS } from 'jose'
import type { Descriptor } from '../../../src/oci/descriptor.ts'
import { digestOf } from '../../../src/oci/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../../src/oci/media-type.ts'
import { parseNotation } from '../../../src/sign/notation/parse.ts'
import { signNotation, type NotationOptions } from '../../../src/sign/notation/signature.ts'
import { verifyNotation } from '../../../src/sign/notation/verify.ts'
import { certificateOf, SERVER_AUTH } from '../../support/certificates.ts'
import { chainOf, ecKey, rsaKey, LEAF, NOW, type MadeChain } from './chains.ts'

const SUBJECT: Descriptor = { mediaType: OCI_INDEX, digest: digestOf(Buffer.from('index')), size: 1234 }
const DAY = 86_400
const made: MadeChain = chainOf()

async function signed(options: Partial<NotationOptions> = {}): Promise<Uint8Array> {
  const { key, chain } = made
  return signNotation(SUBJECT, { key, chain, signingTime: NOW, agent: 'oci-publish/1.2.3', ...options })
}

interface Jws {
  readonly payload: string
  readonly protected: string
  readonly signature: string
  readonly header: { readonly x5c: readonly string[]; readonly 'io.cncf.notary.signingAgent'?: string }
}

const jwsOf = (bytes: Uint8Array): Jws => JSON.parse(Buffer.from(bytes).toString()) as Jws
const bytesOf = (jws: object): Uint8Array => Buffer.from(JSON.stringify(jws))
const decoded = (base64: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(base64, 'base64url').toString()) as Record<string, unknown>
const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const policy = { subject: SUBJECT, trusted: [made.root], now: NOW + DAY }
const problemOf = async (bytes: Uint8Array, more: Partial<typeof policy> = {}): Promise<string | undefined> =>
  (await verifyNotation(bytes, { ...policy, ...more })).problem

test('what is signed is a descriptor, said when, in the form of the specification', async () => {
  const jws = jwsOf(await signed({ annotations: { z: 'last', build: '7' }, expirySeconds: DAY }))
  expect(decoded(jws.payload)).toEqual({
    targetArtifact: { ...SUBJECT, annotations: { build: '7', z: 'last' } },
  })
  expect(decoded(jws.protected)).toEqual({
    alg: 'ES256',
    crit: ['io.cncf.notary.signingScheme', 'io.cncf.notary.expiry'],
    cty: 'application/vnd.cncf.notary.payload.v1+json',
    'io.cncf.notary.signingScheme': 'notary.x509',
    'io.cncf.notary.signingTime': '2026-06-01T00:00:00Z',
    'io.cncf.notary.expiry': '2026-06-02T00:00:00Z',
  })
  expect(jws.header).toEqual({
    x5c: made.chain.map(({ raw }) => raw.toString('base64')),
    'io.cncf.notary.signingAgent': 'oci-publish/1.2.3',
  })
  for (const part of [jws.payload, jws.protected, jws.signature]) expect(part).toMatch(/^[A-Za-z0-9_-]+$/)
})

test('without annotations and expiry, neither is there', async () => {
  const jws = jwsOf(await signed({ agent: undefined }))
  expect(decoded(jws.payload)).toEqual({ targetArtifact: SUBJECT })
  expect(decoded(jws.protected)).not.toHaveProperty(['io.cncf.notary.expiry'])
  expect(decoded(jws.protected)['crit']).toEqual(['io.cncf.notary.signingScheme'])
  expect(jws.header).toEqual({ x5c: expect.any(Array) as unknown })
})

test('what else a descriptor says is not signed: verifiers compare media type, digest and size', async () => {
  const { key, chain } = made
  const described = { ...SUBJECT, annotations: { a: 'b' }, platform: { os: 'linux', architecture: 'amd64' } }
  const jws = jwsOf(await signNotation(described, { key, chain, signingTime: NOW }))
  expect(decoded(jws.payload)).toEqual({ targetArtifact: SUBJECT })
})

test.each<[string, () => KeyObject]>([
  ['ES256', () => ecKey('P-256')],
  ['ES384', () => ecKey('P-384')],
  ['ES512', () => ecKey('P-521')],
  ['PS256', () => rsaKey(2048)],
  ['PS384', () => rsaKey(3072)],
  ['PS512', () => rsaKey(4096)],
])('a signature with %s, as its key demands, is verified by a library for JWS and by us', async (algorithm, newKey) => {
  const key = newKey()
  const { chain, root } = chainOf({ key })
  const bytes = await signed({ key, chain })
  const jws = jwsOf(bytes)
  expect(decoded(jws.protected)['alg']).toBe(algorithm)
  const flattened: FlattenedJWS = { payload: jws.payload, protected: jws.protected, signature: jws.signature }
  const crit = { 'io.cncf.notary.signingScheme': true }
  const { payload } = await flattenedVerify(flattened, createPublicKey(key), { crit })
  expect(JSON.parse(Buffer.from(payload).toString())).toEqual({ targetArtifact: SUBJECT })
  const { signature, problem } = await verifyNotation(bytes, { ...policy, trusted: [root] })
  expect(problem).toBeUndefined()
  expect(signature).toMatchObject({ algorithm, subject: SUBJECT, signingTime: NOW, expiry: undefined })
})

test('nothing is signed with a chain that verifiers refuse', async () => {
  const { key, chain } = chainOf({ leaf: { purposes: [SERVER_AUTH] } })
  await expect(signed({ key, chain })).rejects.toMatchObject({
    code: 'UNUSABLE_CERTIFICATE',
    message: expect.stringContaining('it is made for serverAuth') as unknown,
  })
})

test('nothing is signed under a name of the Notary Project', async () => {
  await expect(signed({ annotations: { 'io.cncf.notary.x': '1', ok: '2' } })).rejects.toMatchObject({
    code: 'INVALID_ANNOTATION',
    message: 'io.cncf.notary.x: annotations that begin with io.cncf.notary belong to the Notary Project',
  })
})

describe('a signature is believed', () => {
  test('when any certificate of its chain is trusted, among others', async () => {
    const bytes = await signed()
    for (const certificate of made.chain) {
      expect(await problemOf(bytes, { trusted: [chainOf().root, certificate] })).toBeUndefined()
    }
  })

  test('when its only certificate is itself trusted', async () => {
    const key = ecKey()
    const self = certificateOf({ subject: LEAF, key })
    expect(await problemOf(await signed({ key, chain: [self] }), { trusted: [self] })).toBeUndefined()
  })

  test('until it expires', async () => {
    const bytes = await signed({ expirySeconds: DAY })
    expect(await problemOf(bytes, { now: NOW + DAY - 1 })).toBeUndefined()
    expect(await problemOf(bytes, { now: NOW + DAY })).toBe('it has expired on 2026-06-02T00:00:00Z')
  })
})

/** The same statement, signed with the key of the chain, with other headers. */
async function withHeader(change: Readonly<Record<string, unknown>>): Promise<Uint8Array> {
  const jws = jwsOf(await signed({ expirySeconds: DAY }))
  const header = encoded({ ...decoded(jws.protected), ...change })
  const input = Buffer.from(`${header}.${jws.payload}`)
  const signature = signWith('sha256', input, { key: made.key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
  return bytesOf({ ...jws, protected: header, signature })
}

describe('a signature is refused, in one sentence', () => {
  test('of somebody who is not trusted', async () => {
    expect(await problemOf(await signed(), { trusted: [chainOf().root] })).toBe(
      'none of its certificates is trusted; it was made by C=US, ST=WA, O=Acme, CN=Signer',
    )
    expect(await problemOf(await signed(), { trusted: [] })).toContain('none of its certificates is trusted')
  })

  test('of another subject', async () => {
    const other = digestOf(Buffer.from('other'))
    expect(await problemOf(await signed(), { subject: { ...SUBJECT, digest: other } })).toBe(
      `it is of ${SUBJECT.digest}, not of ${other}`,
    )
    const said = `it is of 1234 bytes of ${OCI_INDEX}, and there are`
    expect(await problemOf(await signed(), { subject: { ...SUBJECT, size: 1 } })).toBe(
      `${said} 1 bytes of ${OCI_INDEX}`,
    )
    const mediaType = OCI_MANIFEST
    expect(await problemOf(await signed(), { subject: { ...SUBJECT, mediaType } })).toBe(
      `${said} 1234 bytes of ${OCI_MANIFEST}`,
    )
  })

  test('when its certificate has expired since', async () => {
    const { key, chain, root } = chainOf({ leaf: { notAfter: '2026-06-01T12:00:00Z' } })
    expect(await problemOf(await signed({ key, chain }), { trusted: [root] })).toBe(
      'certificate 1 (C=US, ST=WA, O=Acme, CN=Signer): it has expired on 2026-06-01T12:00:00Z',
    )
  })

  test('with another certificate of the same name', async () => {
    const other = chainOf()
    const header = { x5c: other.chain.map(({ raw }) => raw.toString('base64')) }
    const bytes = bytesOf({ ...jwsOf(await signed()), header })
    expect(await problemOf(bytes, { trusted: [other.root] })).toBe(
      'it was not made with the key of its certificate, or was changed afterwards',
    )
  })

  test('with a chain that does not end where trust begins', async () => {
    const jws = jwsOf(await signed())
    const bytes = bytesOf({ ...jws, header: { x5c: jws.header.x5c.slice(0, 2) } })
    expect(await problemOf(bytes)).toContain('the chain has to end with the root')
  })

  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    [
      'as a service signs, whose plugin is needed',
      { 'io.cncf.notary.signingScheme': 'notary.x509.signingAuthority' },
      'it was made in the scheme notary.x509.signingAuthority, which takes the plugin of the service that signed: verify it with notation',
    ],
    [
      'of another type',
      { cty: 'text/plain' },
      'it is of "text/plain", not of application/vnd.cncf.notary.payload.v1+json',
    ],
    [
      'with more to understand',
      { crit: ['io.cncf.notary.signingScheme', 'io.cncf.notary.expiry', 'io.cncf.notary.verificationPlugin'] },
      'it asks verifiers to understand io.cncf.notary.verificationPlugin: verify it with notation',
    ],
    [
      'whose expiry may be overlooked',
      { crit: ['io.cncf.notary.signingScheme'] },
      'its header "crit" has no io.cncf.notary.expiry',
    ],
    [
      'whose headers may be overlooked',
      { crit: undefined },
      'its header "crit" has no io.cncf.notary.signingScheme, io.cncf.notary.expiry',
    ],
    ['of no time', { 'io.cncf.notary.signingTime': undefined }, 'it does not say when it was made'],
    ['that never held', { 'io.cncf.notary.expiry': '2026-06-01T00:00:00Z' }, 'it expires before it was made'],
    ['with another algorithm', { alg: 'ES384' }, 'it says that it was made with ES384, and its key signs with ES256'],
    ['without an algorithm', { alg: 'none' }, 'it says that it was made with none, and its key signs with ES256'],
    [
      'of no readable time',
      { 'io.cncf.notary.signingTime': 'yesterday' },
      'the signature, protected header: io.cncf.notary.signingTime is not a time of RFC 3339',
    ],
  ])('%s', async (_name, change, problem) => {
    expect(await problemOf(await withHeader(change))).toBe(problem)
  })

  test('in DER, which other tools make of ECDSA', async () => {
    const jws = jwsOf(await signed())
    const input = Buffer.from(`${jws.protected}.${jws.payload}`)
    const signature = signWith('sha256', input, made.key).toString('base64url')
    expect(await problemOf(bytesOf({ ...jws, signature }))).toContain('was changed afterwards')
  })

  test.each<[string, unknown, string]>([
    ['not JSON', undefined, 'not JSON'],
    ['no envelope', [], 'is not an object'],
    ['no certificates', { header: { x5c: [] } }, 'header.x5c is empty'],
    ['a certificate that is none', { header: { x5c: ['AAAA'] } }, 'x5c 1: is not an X.509 certificate'],
    ['base64 with padding', { payload: 'e30=' }, 'payload is not base64url'],
    ['a payload of another kind', { payload: encoded({ foo: 1 }) }, 'targetArtifact'],
  ])('that cannot be read: %s', async (_name, change, problem) => {
    const bytes =
      change === undefined
        ? Buffer.from('{')
        : bytesOf(Array.isArray(change) ? change : { ...jwsOf(await signed()), ...(change as object) })
    expect(await problemOf(bytes)).toContain(problem)
    expect(() => parseNotation(bytes, 'the signature')).toThrow(problem)
  })

  test('when any octet of what is signed, or of the signature, is another', async () => {
    const jws = jwsOf(await signed())
    const parts = fc.constantFrom('payload' as const, 'protected' as const, 'signature' as const)
    await fc.assert(
      fc.asyncProperty(parts, fc.nat(), fc.integer({ min: 1, max: 255 }), async (part, position, flip) => {
        const octets = Buffer.from(jws[part], 'base64url')
        const at = position % octets.byteLength
        octets[at] = (octets[at] ?? 0) ^ flip
        expect(await problemOf(bytesOf({ ...jws, [part]: octets.toString('base64url') }))).toEqual(expect.any(String))
      }),
    )
  })
})

test('every descriptor and annotation that is signed is read back as it was', async () => {
  const annotations = fc.dictionary(
    fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter(name => !['__proto__', 'constructor', 'prototype'].includes(name)),
    fc.string({ unit: 'grapheme' }),
  )
  const subjects = fc.record({
    mediaType: fc.stringMatching(/^[a-z]+\/[a-z.+-]+$/),
    digest: fc.uint8Array().map(bytes => digestOf(bytes)),
    size: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  })
  await fc.assert(
    fc.asyncProperty(subjects, annotations, async (subject, said) => {
      const { key, chain } = made
      const bytes = await signNotation(subject, { key, chain, signingTime: NOW, annotations: said })
      const { signature } = await verifyNotation(bytes, { ...policy, subject })
      expect(signature?.subject).toEqual({
        ...subject,
        ...(Object.keys(said).length > 0 && { annotations: { ...said } }),
      })
    }),
    { numRuns: 50 },
  )
})
