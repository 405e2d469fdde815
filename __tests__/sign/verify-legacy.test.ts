import type { KeyObject } from 'node:crypto'
import { digestOf } from '../../src/oci/digest.ts'
import type { FoundLegacySignature } from '../../src/sign/find-legacy.ts'
import { keyHint, keySigner } from '../../src/sign/key-signer.ts'
import { legacyLayer, legacyPayload } from '../../src/sign/legacy.ts'
import { parseLegacy, parseLegacyPayload, type LegacyLogEntry } from '../../src/sign/parse-legacy.ts'
import { parsePolicy } from '../../src/sign/policy.ts'
import type { ReadPolicy } from '../../src/sign/signed-by.ts'
import type { SigningIdentity } from '../../src/sign/signer.ts'
import type { TrustedRoot } from '../../src/sign/trusted-root.ts'
import { verifyLegacy } from '../../src/sign/verify-legacy.ts'
import type { Witnesses } from '../../src/sign/witness.ts'
import { bareKey, startKeyless, type Keyless } from './keyless.ts'
import { DIGEST, OTHER } from './some-bundles.ts'
import { someKeys } from './some-keys.ts'
import { flipped } from './tampered.ts'

const SAN = 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main'
const ISSUER = 'https://token.actions.githubusercontent.com'
const PLACE = { host: 'r.example', repository: 'team/app' }

async function sign(
  { signer, by }: SigningIdentity,
  payload: Uint8Array = legacyPayload(PLACE, DIGEST),
  { log, timestamp }: Witnesses = {},
): Promise<FoundLegacySignature> {
  const signature = await signer.sign(payload)
  const logEntry = await log?.record({ kind: 'hashedrekord', bytes: payload, signature, by })
  const stamp = await timestamp?.(signature)
  const layer = legacyLayer({ payload, signature, by, logEntry, timestamp: stamp })
  const [parsed] = parseLegacy({ layers: [layer.descriptor] }, 'r.example/team/app')
  if (!parsed) throw new Error('it does not parse')
  return { ...parsed, bytes: payload, says: parseLegacyPayload(payload, 'payload') }
}

const verify = (found: FoundLegacySignature, policy: ReadPolicy): ReturnType<typeof verifyLegacy> =>
  verifyLegacy(found, { subject: DIGEST, policy, where: 'signature 1' })

function policyOf(line: string, more: { readonly publicKey?: KeyObject; readonly root?: TrustedRoot }): ReadPolicy {
  const { policy } = parsePolicy(line, 'policy')
  return { root: undefined, ...policy, ...more } as ReadPolicy
}

test.each(someKeys())('a signature by a key verifies: $name', async ({ privateKey, publicKey }) => {
  const found = await sign({ signer: keySigner(privateKey), by: { publicKey } })
  expect(await verify(found, policyOf('k.pub', { publicKey }))).toEqual({
    by: { keyHint: keyHint(publicKey) },
    payload: { digest: DIGEST, reference: 'r.example/team/app', annotations: {} },
    times: [],
    logIndexes: [],
  })
})

const identity = bareKey()
const { publicKey } = identity
const hint = keyHint(publicKey)

test.each([
  ['is about another digest', legacyPayload(PLACE, OTHER), '', `the signature is about ${OTHER}, not ${DIGEST}`],
  [
    'lacks an annotation',
    legacyPayload(PLACE, DIGEST, { a: '1' }),
    ',annotation=a=2',
    'the annotation a has to be "2", and the signature has "1"',
  ],
  [
    'is asked about provenance',
    legacyPayload(PLACE, DIGEST),
    ',predicate-type=slsaprovenance1',
    'it is a signature, and does not state https://slsa.dev/provenance/v1',
  ],
])('a signature is refused when it %s', async (_, payload, more, message) => {
  await expect(verify(await sign(identity, payload), policyOf(`k.pub${more}`, { publicKey }))).rejects.toMatchObject({
    code: 'VERIFICATION_FAILED',
    message,
  })
})

test('a signature is refused over another payload, with a changed signature, or by another key', async () => {
  const found = await sign(identity)
  const bytes = legacyPayload({ ...PLACE, repository: 'other' }, DIGEST)
  for (const one of [
    { ...found, bytes },
    { ...found, signature: flipped(found.signature) },
  ]) {
    await expect(verify(one, policyOf('k.pub', { publicKey }))).rejects.toThrow(
      `the signature does not fit the key ${hint}`,
    )
  }
  await expect(verify(found, policyOf('k.pub', { publicKey: bareKey().publicKey }))).rejects.toThrow(
    'the signature does not fit the key',
  )
})

describe('with a certificate', () => {
  let keyless: Keyless
  let found: FoundLegacySignature
  let who: ReadPolicy
  beforeAll(async () => {
    keyless = await startKeyless({ rekor: 1 })
    who = policyOf(`identity=${SAN},issuer=${ISSUER}`, { root: keyless.root })
    found = await sign(await keyless.identity(), legacyPayload(PLACE, DIGEST), keyless.witnesses)
  })
  afterAll(() => keyless[Symbol.asyncDispose]())

  test('it tells who signed, when, and where that is logged', async () => {
    const { by, times, logIndexes } = await verify(found, who)
    expect(by.identity).toMatchObject({ san: SAN, issuer: ISSUER })
    expect(times.map(one => one.by).sort()).toEqual(['log', 'timestamp'])
    expect(logIndexes).toEqual([`${found.log?.logIndex ?? NaN}`])
  })

  test("the log's promise is enough, and so is a timestamp where the root has no log", async () => {
    await expect(verify({ ...found, timestamp: undefined }, who)).resolves.toMatchObject({ times: [{ by: 'log' }] })
    const root = await keyless.rootWith({ tlogs: [] })
    await expect(verify({ ...found, log: undefined }, { ...who, root })).resolves.toMatchObject({
      times: [{ by: 'timestamp' }],
    })
  })

  const inLog =
    (change: (log: LegacyLogEntry) => Partial<LegacyLogEntry>) =>
    (one: FoundLegacySignature): FoundLegacySignature => ({
      ...one,
      log: one.log && { ...one.log, ...change(one.log) },
    })
  const NOT_PROMISED = "the log entry's promise (SET) is not that of the log about this entry"

  test.each<readonly [string, (one: FoundLegacySignature) => FoundLegacySignature, string | RegExp]>([
    ['the promise', inLog(({ signedEntryTimestamp: one }) => ({ signedEntryTimestamp: flipped(one) })), NOT_PROMISED],
    ['the time', inLog(({ integratedTime }) => ({ integratedTime: integratedTime + 1 })), NOT_PROMISED],
    ['the index', inLog(() => ({ logIndex: 3 })), NOT_PROMISED],
    [
      'the log',
      inLog(() => ({ logId: 'ab'.repeat(32) })),
      /^it is in the transparency log \S+, which is none of root\.json$/,
    ],
    ['the body', inLog(() => ({ body: Buffer.from('{"kind":"hashedrekord","apiVersion":"0.0.1"}') })), NOT_PROMISED],
    ['the body to none', inLog(() => ({ body: Buffer.from('x') })), /^signature 1, log entry: not JSON/],
    ['the entry to none', one => ({ ...one, log: undefined }), 'it is in no transparency log that is trusted'],
    [
      'the timestamp',
      one => ({ ...one, timestamp: one.timestamp && flipped(one.timestamp) }),
      'the timestamp does not fit the signature, or its authority is not trusted',
    ],
    ['the payload', one => ({ ...one, bytes: flipped(one.bytes) }), 'the signature does not fit the certificate'],
  ])('it is refused when %s was changed', async (_, change, message) => {
    await expect(verify(change(found), who)).rejects.toThrow(message)
  })

  test('it is refused when the certificate had expired', async () => {
    const signer = await keyless.identity()
    keyless.setClock(11 * 60_000)
    const bare = { signer: signer.signer, by: { publicKey: signer.signer.publicKey } }
    const late = await sign(bare, undefined, keyless.witnesses)
    keyless.setClock(0)
    const certificate = signer.by.certificate
    await expect(verify({ ...late, certificate }, who)).rejects.toThrow(
      'the certificate had expired when it was logged',
    )
  })

  test('an entry about another signature is refused', async () => {
    const signer = await keyless.identity()
    const another = await sign(signer, legacyPayload(PLACE, OTHER), keyless.witnesses)
    const own = await sign(signer, legacyPayload(PLACE, DIGEST))
    await expect(verify({ ...own, log: another.log }, who)).rejects.toThrow('the log entry is about another signature')
    expect(digestOf(own.bytes)).not.toBe(digestOf(another.bytes))
  })
})
