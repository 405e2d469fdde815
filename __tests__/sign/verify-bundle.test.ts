import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { digestOf, parseDigest } from '../../src/oci/digest.ts'
import { composeBundle, parseBundle, type BundleParts } from '../../src/sign/bundle.ts'
import { preAuthEncoding } from '../../src/sign/envelope.ts'
import { keyHint, keySigner } from '../../src/sign/key-signer.ts'
import { parsePolicy } from '../../src/sign/policy.ts'
import type { ReadPolicy } from '../../src/sign/signed-by.ts'
import { serializeStatement, signatureStatement, type Statement } from '../../src/sign/statement.ts'
import type { TrustedRoot } from '../../src/sign/trusted-root.ts'
import { verifyBundle } from '../../src/sign/verify-bundle.ts'
import { bareKey, startKeyless, witnessed, witnessedBundle, type Keyless } from './keyless.ts'
import { DIGEST, OTHER } from './some-bundles.ts'
import { der, extension, oid, someCertificate } from './some-certificates.ts'
import { someKeys } from './some-keys.ts'
import { flipped, inProof, NOT_IN_LOG, NOT_TIMED, TAMPERED, TAMPERED_V1, TAMPERED_V2 } from './tampered.ts'

const SAN = 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main'
const ISSUER = 'https://token.actions.githubusercontent.com'
const SIGNED = signatureStatement([DIGEST])
const PROVENANCE: Statement = {
  subjects: [{ digest: DIGEST }],
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: {},
}

function keyPolicy(publicKey: KeyObject, more = '', root?: TrustedRoot): ReadPolicy {
  const { policy } = parsePolicy(`key=k.pub${more}`, 'policy')
  if (policy?.key === undefined) throw new Error('no policy')
  return { ...policy, publicKey, root }
}

function whoPolicy(root: TrustedRoot, line = `identity=${SAN},issuer=${ISSUER}`): ReadPolicy {
  const { policy } = parsePolicy(line, 'policy')
  if (!policy || policy.key !== undefined) throw new Error('no policy')
  return { ...policy, root }
}

const refusal = (message: string | RegExp): unknown => {
  const text: unknown = typeof message === 'string' ? message : expect.stringMatching(message)
  return expect.objectContaining({ code: 'VERIFICATION_FAILED', message: text })
}

describe('a bundle by a key', () => {
  test.each(someKeys())('$name verifies with its key and with no other', async ({ privateKey, publicKey }) => {
    const signer = keySigner(privateKey)
    const bundle = await witnessedBundle({ signer, by: { publicKey } }, SIGNED, {})
    expect(await verifyBundle(bundle, { subject: DIGEST, policy: keyPolicy(publicKey) })).toEqual({
      by: { keyHint: keyHint(publicKey) },
      statement: SIGNED,
      times: [],
      logIndexes: [],
    })
    const { publicKey: other } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await expect(verifyBundle(bundle, { subject: DIGEST, policy: keyPolicy(other) })).rejects.toEqual(
      refusal(`the signature does not fit the key ${keyHint(other)}`),
    )
  })

  const identity = bareKey()
  const { publicKey } = identity

  test.each([
    ['is about another digest', SIGNED, OTHER, '', `the statement is about ${DIGEST}, not ${OTHER}`],
    [
      'states something else: provenance is no signature',
      PROVENANCE,
      DIGEST,
      '',
      'it states https://slsa.dev/provenance/v1, not https://sigstore.dev/cosign/sign/v1',
    ],
    [
      'is a signature where provenance is asked for',
      SIGNED,
      DIGEST,
      ',predicate-type=slsaprovenance1',
      'it states https://sigstore.dev/cosign/sign/v1, not https://slsa.dev/provenance/v1',
    ],
    [
      'lacks an annotation',
      SIGNED,
      DIGEST,
      ',annotation=env=prod',
      'the annotation env has to be "prod", and the signature does not have it',
    ],
    [
      'lacks an annotation with a name that all objects know',
      SIGNED,
      DIGEST,
      ',annotation=constructor=1',
      'the annotation constructor has to be "1", and the signature does not have it',
    ],
    [
      'has another value of an annotation',
      signatureStatement([DIGEST], { env: 'test' }),
      DIGEST,
      ',annotation=env=prod',
      'the annotation env has to be "prod", and the signature has "test"',
    ],
    ['is about nothing', { ...SIGNED, subjects: [] }, DIGEST, '', `the statement is about nothing, not ${DIGEST}`],
  ])('is refused when it %s', async (_, statement, subject, more, message) => {
    const bundle = await witnessedBundle(identity, statement, {})
    await expect(verifyBundle(bundle, { subject, policy: keyPolicy(publicKey, more) })).rejects.toEqual(
      refusal(message),
    )
  })

  test.each([
    ['one of several subjects', signatureStatement([OTHER, DIGEST]), ''],
    ['what an annotation asks for', signatureStatement([DIGEST], { env: 'prod', other: '1' }), ',annotation=env=prod'],
    ['the predicate that is asked for', PROVENANCE, ',predicate-type=slsaprovenance1'],
  ])('verifies for %s', async (_, statement, more) => {
    const bundle = await witnessedBundle(identity, statement, {})
    const verified = await verifyBundle(bundle, { subject: DIGEST, policy: keyPolicy(publicKey, more) })
    expect(verified.statement.predicateType).toBe(statement.predicateType)
  })

  test('is refused when a byte of what is signed has changed, of the payload as of its type', async () => {
    const parts = await witnessed(identity, SIGNED, {})
    const { envelope } = parts
    const changed = Buffer.from(Buffer.from(envelope.payload).toString().replace('"predicate":{}', '"predicate":{ }'))
    for (const one of [
      { ...envelope, payload: changed },
      { ...envelope, payloadType: 'application/vnd.in-toto+jsom' },
      { ...envelope, signature: flipped(envelope.signature) },
    ]) {
      const bundle = composeBundle({ ...parts, envelope: one })
      await expect(verifyBundle(bundle, { subject: DIGEST, policy: keyPolicy(publicKey) })).rejects.toEqual(
        refusal(`the signature does not fit the key ${keyHint(publicKey)}`),
      )
    }
  })

  test('is refused when its payload, signed as another type, only looks like a statement', async () => {
    const payload = serializeStatement(SIGNED)
    for (const payloadType of ['application/json', 'application/vnd.in-toto+json;x', 'APPLICATION/vnd.in-toto+json']) {
      const signature = await identity.signer.sign(preAuthEncoding({ payloadType, payload }), {})
      const envelope = { payloadType, payload, signature }
      const bundle = { ...parseBundle(await witnessedBundle(identity, SIGNED, {}), 'bundle'), envelope }
      await expect(verifyBundle(bundle, { subject: DIGEST, policy: keyPolicy(publicKey) })).rejects.toEqual(
        refusal(`it is over a "${payloadType}", not a statement`),
      )
    }
  })

  test('is refused when the annotation that is asked for is of another subject of the statement', async () => {
    const subjects = [
      { digest: OTHER, annotations: { env: 'prod' } },
      { digest: DIGEST, annotations: { other: '1' } },
      { digest: digestOf(Buffer.from('a third image')), annotations: { env: 'prod' } },
    ]
    const bundle = await witnessedBundle(identity, { ...SIGNED, subjects }, {})
    const policy = keyPolicy(publicKey, ',annotation=env=prod')
    await expect(verifyBundle(bundle, { subject: DIGEST, policy })).rejects.toEqual(
      refusal('the annotation env has to be "prod", and the signature does not have it'),
    )
    await expect(verifyBundle(bundle, { subject: OTHER, policy })).resolves.toBeDefined()
  })

  test('is not believed by somebody who has the key named in it', async () => {
    const parts = await witnessed(bareKey(), SIGNED, {})
    const bundle = composeBundle({ ...parts, by: { publicKey } })
    await expect(verifyBundle(bundle, { subject: DIGEST, policy: keyPolicy(publicKey) })).rejects.toEqual(
      refusal(`the signature does not fit the key ${keyHint(publicKey)}`),
    )
  })
})

const BOTH = [1, 2] as const

describe.each(BOTH)('with a sigstore whose log has version %i', rekor => {
  let keyless: Keyless
  let other: Keyless
  let signed: BundleParts
  beforeAll(async () => {
    keyless = await startKeyless({ rekor })
    other = await startKeyless({ rekor })
    await sign(signatureStatement([OTHER])) // so that proofs have a hash
    signed = await sign()
  })
  afterAll(async () => {
    await keyless[Symbol.asyncDispose]()
    await other[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    keyless.setClock(0)
  })
  const sign = async (statement: Statement = SIGNED): Promise<BundleParts> =>
    witnessed(await keyless.identity(), statement, keyless.witnesses)
  const verify = (parts: BundleParts, policy = whoPolicy(keyless.root)): ReturnType<typeof verifyBundle> =>
    verifyBundle(composeBundle(parts), { subject: DIGEST, policy })

  test('a keyless bundle tells who signed, when, and where that is logged', async () => {
    const before = Math.floor(Date.now() / 1000) * 1000
    const { by, times, logIndexes } = await verify(await sign())
    expect(by.identity).toMatchObject({ san: SAN, issuer: ISSUER })
    expect(times.map(one => one.by).sort()).toEqual(rekor === 1 ? ['log', 'timestamp'] : ['timestamp'])
    for (const { at } of times) expect(at.getTime()).toBeGreaterThanOrEqual(before)
    expect(logIndexes).toEqual([expect.stringMatching(rekor === 1 ? /^10000\d\d$/ : /^\d+$/)])
  })

  test.each([
    [`identity-regexp=https://github\\.com/acme/.*,issuer=${ISSUER}`],
    [`identity=${SAN},issuer-regexp=https://token\\.actions\\..*`],
  ])('%s fits', async line => {
    await expect(verify(await sign(), whoPolicy(keyless.root, line))).resolves.toBeDefined()
  })

  test.each([
    [`identity=${SAN}2,issuer=${ISSUER}`, `${SAN}2 (issuer ${ISSUER})`],
    [`identity=${SAN},issuer=${ISSUER}/`, `${SAN} (issuer ${ISSUER}/)`],
    [`identity-regexp=github,issuer=${ISSUER}`, `/github/ (issuer ${ISSUER})`],
    [`identity=https://github.com/acme/.*,issuer=${ISSUER}`, `https://github.com/acme/.* (issuer ${ISSUER})`],
  ])('who is not %s is named', async (line, wanted) => {
    await expect(verify(await sign(), whoPolicy(keyless.root, line))).rejects.toEqual(
      refusal(`signed by ${SAN} (issuer ${ISSUER}), not by ${wanted}`),
    )
  })

  test('a certificate is no substitute for a key, nor a key for a certificate', async () => {
    const key = bareKey()
    const { publicKey } = key
    await expect(verify(await sign(), keyPolicy(publicKey))).rejects.toEqual(
      refusal(`signed by ${SAN} (issuer ${ISSUER}), not with the key ${keyHint(publicKey)}`),
    )
    await expect(verify(await witnessed(key, SIGNED, {}))).rejects.toEqual(
      refusal(`signed with the key ${keyHint(publicKey)}, not by ${SAN} (issuer ${ISSUER})`),
    )
  })

  test('a certificate of somebody else, with the same names in it, is refused', async () => {
    const theirs = await witnessed(await other.identity(), SIGNED, keyless.witnesses)
    await expect(verify(theirs)).rejects.toEqual(
      refusal('the certificate was issued by no authority of the trusted root'),
    )
  })

  test('a certificate that somebody issued to himself is refused, and one that is not for signing code', async () => {
    const { certificate, privateKey } = someCertificate({ san: undefined })
    const { certificate: named, privateKey: key } = someCertificate()
    const signed = await witnessed(
      { signer: keySigner(key), by: { certificate: named, chain: [] } },
      SIGNED,
      keyless.witnesses,
    )
    const line = `identity-regexp=.*,issuer=${ISSUER}`
    await expect(verify(signed, whoPolicy(keyless.root, line))).rejects.toEqual(
      refusal('the certificate is not one for signing code'),
    )
    const nameless = await witnessed({ signer: keySigner(privateKey), by: { certificate, chain: [] } }, SIGNED, {})
    await expect(verify(nameless, whoPolicy(keyless.root, line))).rejects.toThrow('names nobody')
  })

  test('a signature that was made after the certificate had expired, or before it was valid, is refused', async () => {
    const identity = await keyless.identity()
    const { witnesses } = keyless
    keyless.setClock(11 * 60_000)
    const bare = { signer: identity.signer, by: { publicKey: identity.signer.publicKey } }
    const expired = await witnessed(bare, SIGNED, witnesses)
    const when = rekor === 1 ? 'logged' : 'timestamped'
    await expect(verify({ ...expired, by: identity.by })).rejects.toEqual(
      refusal(`the certificate had expired when it was ${when}`),
    )
    keyless.setClock(-11 * 60_000)
    const early = await witnessed(bare, SIGNED, witnesses)
    await expect(verify({ ...early, by: identity.by })).rejects.toEqual(
      refusal(`the certificate was not valid yet when it was ${when}`),
    )
  })

  test('an entry of the log about somebody else is refused, even where the signature in it is the same', async () => {
    const identity = await keyless.identity()
    const parts = await witnessed(
      { ...identity, by: { publicKey: identity.signer.publicKey } },
      SIGNED,
      keyless.witnesses,
    )
    await expect(verify({ ...parts, by: identity.by })).rejects.toEqual(
      refusal('the log entry is about another certificate'),
    )
  })

  test('what no log has is refused, and what a log has that is not trusted', async () => {
    const parts = await sign()
    await expect(verify({ ...parts, logEntries: [] })).rejects.toEqual(
      refusal(/^(it is in no transparency log that is trusted|nobody who is trusted says when it was signed.*)$/),
    )
    const elsewhere = await witnessed(await keyless.identity(), SIGNED, {
      ...keyless.witnesses,
      log: other.witnesses.log,
    })
    await expect(verify(elsewhere)).rejects.toEqual(
      refusal(/^it is in the transparency log \S+=, which is none of root\.json$/),
    )
    const { timestamp } = keyless.witnesses
    const stamped = await witnessed(await keyless.identity(), SIGNED, { timestamp })
    const root = await keyless.rootWith({ tlogs: [], timestampAuthorities: [] })
    await expect(verify(stamped, whoPolicy(root))).rejects.toEqual(
      refusal('its timestamp is by none of the authorities of root.json'),
    )
  })

  test('what logs testify besides that are not known does no harm', async () => {
    const identity = await keyless.identity()
    const own = await witnessed(identity, SIGNED, keyless.witnesses)
    const entry = await other.witnesses.log?.record({ kind: 'dsse', envelope: own.envelope, by: identity.by })
    const logEntries = [...(entry ? [entry] : []), ...own.logEntries]
    await expect(verify({ ...own, logEntries })).resolves.toMatchObject({ logIndexes: { length: 1 } })
  })

  test('a certificate that no trusted log of certificates has promised to show is refused', async () => {
    const parts = await sign()
    const { ctlogs } = other.sigstore.trustedRoot as { readonly ctlogs: unknown }
    await expect(verify(parts, whoPolicy(await keyless.rootWith({ ctlogs })))).rejects.toEqual(
      refusal('no log of certificates that is trusted has promised to show the certificate'),
    )
  })

  test('a certificate that is in no log of certificates is refused, unless the root has no such log', async () => {
    const authority = someCertificate({
      more: [extension('2.5.29.19', der(0x30, der(0x01, Buffer.from([0xff]))), true)],
    })
    const codeSigning = extension('2.5.29.37', der(0x30, oid('1.3.6.1.5.5.7.3.3')))
    const { certificate, privateKey } = someCertificate({ more: [codeSigning], authority: authority.privateKey })
    const rawBytes = authority.certificate.raw.toString('base64')
    const certificateAuthorities = [{ certChain: { certificates: [{ rawBytes }] } }]
    const identity = { signer: keySigner(privateKey), by: { certificate, chain: [] } }
    const parts = await witnessed(identity, SIGNED, keyless.witnesses)
    const policyWith = async (more: object): Promise<ReadPolicy> =>
      whoPolicy(await keyless.rootWith({ certificateAuthorities, ...more }), `identity-regexp=.*,issuer=${ISSUER}`)
    await expect(verify(parts, await policyWith({}))).rejects.toEqual(
      refusal('the certificate does not say that it is in a log of certificates'),
    )
    await expect(verify(parts, await policyWith({ ctlogs: [] }))).resolves.toBeDefined()
  })

  test('where the root has no log, a timestamp is enough; nothing at all is not', async () => {
    const root = await keyless.rootWith({ tlogs: [] })
    const identity = await keyless.identity()
    const { timestamp } = keyless.witnesses
    await expect(verify(await witnessed(identity, SIGNED, { timestamp }), whoPolicy(root))).resolves.toMatchObject({
      times: [{ by: 'timestamp' }],
    })
    await expect(verify(await witnessed(identity, SIGNED, {}), whoPolicy(root))).rejects.toEqual(
      refusal(/^nobody who is trusted says when it was signed/),
    )
  })

  test.each([...TAMPERED, ...(rekor === 1 ? TAMPERED_V1 : TAMPERED_V2)])(
    'it is refused when %s was changed',
    async (_, change, message) => {
      await expect(verify(signed)).resolves.toBeDefined()
      await expect(verify(change(signed))).rejects.toEqual(refusal(message))
    },
  )

  test('for a key nobody has to testify, but what is testified has to be true', async () => {
    const identity = bareKey()
    const { publicKey } = identity
    const policy = keyPolicy(publicKey, '', keyless.root)
    await expect(verify(await witnessed(identity, SIGNED, {}), policy)).resolves.toMatchObject({
      times: [],
      logIndexes: [],
    })
    const parts = await witnessed(identity, SIGNED, keyless.witnesses)
    await expect(verify(parts, policy)).resolves.toMatchObject({ logIndexes: [expect.any(String)] })
    await expect(verify(inProof({ hashes: ['AAAA'] })(parts), policy)).rejects.toEqual(refusal(NOT_IN_LOG))
    const elsewhere = await witnessed(identity, SIGNED, { log: other.witnesses.log })
    await expect(verify(elsewhere, policy)).resolves.toMatchObject({ times: [], logIndexes: [] })
    const [stamp = Buffer.alloc(0)] = (await sign()).timestamps
    await expect(verify({ ...parts, timestamps: [stamp] }, policy)).rejects.toEqual(refusal(NOT_TIMED))
  })
})

test('digests are compared whole', async () => {
  const key = bareKey()
  const bundle = await witnessedBundle(key, SIGNED, {})
  const subject = parseDigest(`sha512:${'0'.repeat(128)}`)
  await expect(verifyBundle(bundle, { subject, policy: keyPolicy(key.publicKey) })).rejects.toThrow(`not ${subject}`)
})
