import { readFile } from 'node:fs/promises'
import { composeBundle, type BundleParts } from '../../src/sign/bundle.ts'
import { flipped, TAMPERED, TAMPERED_V1, TAMPERED_V2, type Change, type Tamper } from '../sign/tampered.ts'
import { NOT_REFUSED, refusalOf, signedParts, withBundle } from '../support/bundle-on-image.ts'
import { newKeyPair, openCosign, type CosignBench, type Trust } from '../support/cosign.ts'
import { startRegistry, type RunningRegistry } from '../support/registries.ts'
import { signWithUs, verifyWithUs, wholeSeconds as now } from '../support/signing.ts'
import { startSigstore, type LocalSigstore } from '../support/sigstore/start-sigstore.ts'
import { GITHUB_ISSUER, WORKFLOW } from '../support/sigstore/tokens.ts'

const IDENTITY = `https://github.com/${WORKFLOW}`
const OTHER_KEY = /^the signature does not fit the key /
const OTHER_CERTIFICATE = 'the signature does not fit the certificate'
const OTHER_SUBJECT = /^the statement is about sha256:\w+, not sha256:\w+$/

/** Rows of what unit tests show of our verifier alone: those that cosign looks at as well. */
function rows(all: readonly Tamper[], names: readonly string[]): readonly Tamper[] {
  const found = all.filter(([name]) => names.includes(name))
  if (found.length !== names.length) throw new Error(`there are only ${found.map(([name]) => name).join(', ')}`)
  return found
}

/** Of Rekor 1 the promise counts, of Rekor 2 the checkpoint and the timestamp. */
const LOGGED = {
  1: [
    ...rows(TAMPERED, ['the root hash of the proof', 'the number of hashes']),
    ...rows(TAMPERED_V1, ['the promise', 'the time of the entry', 'the index of the entry']),
  ],
  2: [
    ...rows(TAMPERED, ['the number of hashes', 'the timestamp']),
    ...rows(TAMPERED_V2, ['the index of the entry', 'its time, which nobody has signed,']),
  ],
}

const EITHER = rows(TAMPERED, [
  ...['the signature', 'the certificate', 'a hash of the proof', 'the body'],
  ...['the root hash in the checkpoint', 'the signature of the checkpoint'],
])

const sentence = (text: string | RegExp): unknown => (typeof text === 'string' ? text : expect.stringMatching(text))

const inEnvelope =
  (change: (envelope: BundleParts['envelope']) => Partial<BundleParts['envelope']>): Change =>
  parts => ({ ...parts, envelope: { ...parts.envelope, ...change(parts.envelope) } })

/** The statement, made to be about another digest. */
const retarget: Change = inEnvelope(({ payload }) => {
  const text = Buffer.from(payload).toString()
  return { payload: Buffer.from(text.replace(/"sha256":"(.)/, (_, first) => `"sha256":"${first === '0' ? '1' : '0'}`)) }
})

describe('what was signed with a key is refused, by cosign as by us, when somebody changed', () => {
  let registry: RunningRegistry
  let cosign: CosignBench
  let key: string
  let signed: BundleParts
  let other: BundleParts

  beforeAll(async () => {
    registry = await startRegistry({ referrers: true })
    cosign = await openCosign()
    const { pub, signs } = await newKeyPair(cosign.path)
    key = pub
    const how = { directory: cosign.path, values: signs, publicKey: await readFile(pub, 'utf8') }
    signed = await signedParts(registry, 'x', how)
    other = await signedParts(registry, 'another', how)
  })

  afterAll(async () => {
    await cosign[Symbol.asyncDispose]()
    await registry[Symbol.asyncDispose]()
  })

  test('nothing: it is verified', async () => {
    const name = await withBundle(registry, 'x', composeBundle(signed))
    expect(await cosign.verify('cosign3', name, { key })).toHaveLength(1)
    expect(await refusalOf(name, `key=${key}`)).toBe(NOT_REFUSED)
  })

  test.each<Tamper>([
    ['what the statement is about', retarget, OTHER_KEY],
    ['the signature', inEnvelope(({ signature }) => ({ signature: flipped(signature) })), OTHER_KEY],
    ['the payload to another', inEnvelope(() => ({ payload: other.envelope.payload })), OTHER_KEY],
    ['the signature to another', inEnvelope(() => ({ signature: other.envelope.signature })), OTHER_KEY],
    ['the subject', () => other, OTHER_SUBJECT],
  ])('%s', async (_, change, because) => {
    const name = await withBundle(registry, 'x', composeBundle(change(signed)))
    await expect(cosign.verify('cosign3', name, { key })).rejects.toThrow(/exit code/)
    expect(await refusalOf(name, `key=${key}`)).toEqual(sentence(because))
  })
})

describe.each([1, 2] as const)(
  'what was signed keyless, logged by Rekor %i, is refused when somebody changed',
  rekor => {
    let registry: RunningRegistry
    let cosign: CosignBench
    let sigstore: LocalSigstore
    let trust: Extract<Trust, { identity: string }>
    let policy: string
    let signed: BundleParts
    let other: BundleParts

    beforeAll(async () => {
      registry = await startRegistry({ referrers: true })
      cosign = await openCosign()
      sigstore = await startSigstore({ rekor, now })
      trust = { identity: IDENTITY, issuer: GITHUB_ISSUER, trustedRoot: sigstore.trustedRootFile }
      policy = `identity=${IDENTITY},issuer=${GITHUB_ISSUER},trusted-root=${sigstore.trustedRootFile}`
      const values = { sign: 'keyless', 'signing-config': sigstore.signingConfigFile }
      const how = { directory: cosign.path, values, env: sigstore.oidcEnv }
      await signedParts(registry, 'the first of the log, whose proof is empty', how)
      signed = await signedParts(registry, 'x', how)
      other = await signedParts(registry, 'another', how)
    })

    afterAll(async () => {
      await sigstore.close()
      await cosign[Symbol.asyncDispose]()
      await registry[Symbol.asyncDispose]()
    })

    test('nothing: it is verified', async () => {
      const name = await withBundle(registry, 'x', composeBundle(signed))
      expect(await cosign.verify('cosign3', name, trust)).toHaveLength(1)
      expect(await refusalOf(name, policy)).toBe(NOT_REFUSED)
    })

    test.each<Tamper>([
      ...EITHER,
      ...LOGGED[rekor],
      ['what the statement is about', retarget, OTHER_CERTIFICATE],
      ['the certificate to that of another run', parts => ({ ...parts, by: other.by }), OTHER_CERTIFICATE],
      [
        'the log entry to that of another signature',
        parts => ({ ...parts, logEntries: other.logEntries }),
        'the log entry is about another signature',
      ],
      ['the subject', () => other, OTHER_SUBJECT],
    ])('%s', async (_, change, because) => {
      const name = await withBundle(registry, 'x', composeBundle(change(signed)))
      expect(await refusalOf(name, policy)).toEqual(sentence(because))
      await expect(cosign.verify('cosign3', name, trust)).rejects.toThrow(/exit code/)
    })
  },
)

describe('a forgery that looks equal does not keep the right one from being there', () => {
  test('with a key: a bundle whose signature does not fit', async () => {
    await using registry = await startRegistry({ referrers: true })
    await using cosign = await openCosign()
    const { pub: key, signs } = await newKeyPair(cosign.path)
    const how = { directory: cosign.path, values: signs, publicKey: await readFile(key, 'utf8') }
    const signed = await signedParts(registry, 'x', how)
    const forged = inEnvelope(({ signature }) => ({ signature: flipped(signature) }))(signed)
    const name = await withBundle(registry, 'x', composeBundle(forged))
    expect((await signWithUs(name, signs)).signatures).toMatchObject([{ existed: false }])
    expect(await cosign.verify('cosign3', name, { key })).toHaveLength(1)
    expect(await refusalOf(name, `key=${key}`)).toBe(NOT_REFUSED)
  })

  test('keyless: a bundle with the same name in a certificate of an authority that nobody trusts', async () => {
    await using registry = await startRegistry({ referrers: true })
    await using cosign = await openCosign()
    await using sigstore = await startSigstore({ now })
    await using theirs = await startSigstore({ now })
    const values = { sign: 'keyless', 'signing-config': sigstore.signingConfigFile }
    const how = { directory: cosign.path, values: { ...values, 'signing-config': theirs.signingConfigFile } }
    const name = await withBundle(
      registry,
      'x',
      composeBundle(await signedParts(registry, 'x', { ...how, env: theirs.oidcEnv })),
    )
    const trust = { identity: IDENTITY, issuer: GITHUB_ISSUER, trustedRoot: sigstore.trustedRootFile }
    await expect(cosign.verify('cosign3', name, trust)).rejects.toThrow(/exit code/)
    expect((await signWithUs(name, values, { env: sigstore.oidcEnv })).signatures).toMatchObject([{ existed: false }])
    expect(await cosign.verify('cosign3', name, trust)).toHaveLength(1)
    expect(
      await verifyWithUs(name, `identity=${IDENTITY},issuer=${GITHUB_ISSUER},trusted-root=${sigstore.trustedRootFile}`),
    ).toMatchObject({
      verified: [{ signatures: [{ by: { identity: { san: IDENTITY } } }] }],
    })
  })
})
