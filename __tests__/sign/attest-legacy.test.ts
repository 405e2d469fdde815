import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'
import type { Output } from '../../src/content/places.ts'
import type { ReferrerLister, Target } from '../../src/content/ports.ts'
import type { Untagged } from '../../src/content/untagged.ts'
import { digestOf, hexOf } from '../../src/oci/digest.ts'
import { OCI_CONFIG, OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { attestLegacyEverywhere, type LegacyAttestation } from '../../src/sign/attest-legacy.ts'
import { serializeEnvelope } from '../../src/sign/envelope-json.ts'
import { findBundles } from '../../src/sign/find-bundles.ts'
import { findLegacyAttestations } from '../../src/sign/find-legacy-attestations.ts'
import { keySigner } from '../../src/sign/key-signer.ts'
import type { SigningMeans } from '../../src/sign/means.ts'
import { signEverywhere, type SignEvent } from '../../src/sign/sign.ts'
import { signatureStatement, type Statement } from '../../src/sign/statement.ts'
import type { Logged, LogEntry, Witnesses } from '../../src/sign/witness.ts'
import { clientOf, documentOf } from '../registry/client.ts'
import { allOf } from './all-of.ts'
import { LOG_ENTRY, someKey, type SomeIdentity } from './some-bundles.ts'
import { someCertificate } from './some-certificates.ts'

const REVIEW = 'https://example.com/review/v1'
const SCAN = 'https://example.com/scan/v1'

interface Shelf extends AsyncDisposable {
  readonly registry: SpecRegistry
  readonly target: Target & ReferrerLister
  readonly untagged: Untagged
  readonly state: (predicateType: string, predicate?: object) => Statement
}

/** A manifest in a registry of this process. */
async function startShelf(): Promise<Shelf> {
  const registry = await startSpecRegistry()
  const client = clientOf(registry)
  const target = client.open('team/app')
  const config = documentOf(OCI_CONFIG, { os: 'linux', architecture: 'amd64' })
  const manifest = documentOf(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers: [],
  })
  for (const blob of [config, manifest]) await target.push(blob)
  const image = { kind: 'registry' as const, host: registry.host, repository: 'team/app' }
  const output: Output = { kind: 'registry', image, tags: [] }
  const root = manifest.descriptor
  return {
    registry,
    target,
    untagged: { root, platforms: [], places: [{ target, output }] },
    state: (predicateType, predicate = { ok: true }) => ({
      subjects: [{ digest: root.digest }],
      predicateType,
      predicate,
    }),
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]()
      await registry[Symbol.asyncDispose]()
    },
  }
}

interface CountingWitnesses {
  readonly witnesses: Witnesses
  readonly logged: readonly Logged[]
  readonly timestamped: readonly Uint8Array[]
}

/** Rekor, of which version 2 promises nothing, and a timestamp authority. */
function someWitnesses(...has: readonly (1 | 2 | 'tsa')[]): CountingWitnesses {
  const logged: Logged[] = []
  const timestamped: Uint8Array[] = []
  const record = (one: Logged): Promise<LogEntry> => {
    logged.push(one)
    const sent = one.kind === 'dsse' ? serializeEnvelope(one.envelope) : ''
    const envelopeHash = { algorithm: 'sha256', value: hexOf(digestOf(Buffer.from(sent))) }
    const body = JSON.stringify({ apiVersion: '0.0.1', kind: 'dsse', spec: { envelopeHash } })
    const entry = { ...LOG_ENTRY, canonicalizedBody: Buffer.from(body).toString('base64') }
    return Promise.resolve(has.includes(2) ? { ...entry, inclusionPromise: undefined } : entry)
  }
  const timestamp = (bytes: Uint8Array): Promise<Uint8Array> => {
    timestamped.push(bytes)
    return Promise.resolve(Buffer.from(`timestamp ${timestamped.length}`))
  }
  const log = has.includes(1) ? { version: 1 as const, record } : { version: 2 as const, record }
  const witnesses: Witnesses = {
    ...((has.includes(1) || has.includes(2)) && { log }),
    ...(has.includes('tsa') && { timestamp }),
  }
  return { witnesses, logged, timestamped }
}

function meansOf({ by, privateKey }: SomeIdentity, witnesses: Witnesses = {}): SigningMeans {
  const identity = { signer: keySigner(privateKey), by }
  return {
    title: 'somebody',
    verifiedBy: undefined,
    trustedRoot: 'unknown',
    known: undefined,
    identity: () => Promise.resolve(identity),
    witnesses,
  }
}

const somebody = (): SomeIdentity => {
  const { certificate, privateKey } = someCertificate()
  return { by: { certificate, chain: [] }, privateKey }
}

async function attest(
  { untagged }: Pick<Shelf, 'untagged'>,
  statements: readonly Statement[],
  means: SigningMeans,
  { carried = true, onEvent = (): void => undefined }: { carried?: boolean; onEvent?: (event: SignEvent) => void } = {},
): Promise<readonly LegacyAttestation[]> {
  const stated = statements.map(statement => ({ statement, attachTo: [untagged.root.digest] }))
  const signed = await signEverywhere(untagged, stated, [means], { carried, onEvent })
  return carried ? attestLegacyEverywhere(untagged, signed, { onEvent }) : []
}

test('everything that is attested of a manifest comes with one move of the tag, and signatures are left out', async () => {
  await using shelf = await startShelf()
  const { registry, target, untagged, state } = shelf
  const { digest } = untagged.root
  const means = meansOf(someKey())
  const made = await attest(shelf, [signatureStatement([digest]), state(REVIEW), state(SCAN)], means)
  expect(made.map(({ predicateType, subject, existed }) => [predicateType, subject, existed])).toEqual([
    [REVIEW, digest, false],
    [SCAN, digest, false],
  ])
  const moves = registry.requests.filter(({ method, path }) => method === 'PUT' && path.endsWith('.att'))
  expect(moves).toHaveLength(1)
  expect((await target.resolve(`sha256-${hexOf(digest)}.att`)).digest).toBe(made[0]?.manifest)

  const mark = registry.requests.length
  const again = await attest(shelf, [state(REVIEW), state(SCAN)], means)
  expect(again).toEqual(made.map(one => ({ ...one, existed: true })))
  expect(registry.requests.slice(mark).filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([])
})

test('only what lacks is added, after what is there', async () => {
  await using shelf = await startShelf()
  const { target, untagged, state } = shelf
  const [ours, theirs] = [meansOf(someKey()), meansOf(someKey())]
  await attest(shelf, [state(REVIEW)], theirs)
  await attest(shelf, [state(REVIEW)], ours)
  const third = await attest(shelf, [state(REVIEW), state(REVIEW, { ok: false }), state(SCAN)], ours)
  expect(third.map(({ existed }) => existed)).toEqual([true, false, false])
  const found = await allOf(findLegacyAttestations(target, untagged.root))
  expect(found.map(({ statement }) => [statement.predicateType, statement.predicate])).toEqual([
    [REVIEW, { ok: true }],
    [REVIEW, { ok: true }],
    [REVIEW, { ok: false }],
    [SCAN, { ok: true }],
  ])
})

test('nothing is signed or logged a second time: the envelope and its entry are those of the bundle', async () => {
  await using shelf = await startShelf()
  const { target, untagged, state } = shelf
  const { witnesses, logged } = someWitnesses(1)
  const means = meansOf(somebody(), witnesses)
  await attest(shelf, [state(REVIEW)], means, { carried: false })
  const [bundle, ...none] = await allOf(findBundles(target, untagged.root))
  const made = await attest(shelf, [state(REVIEW)], means)
  expect(made.map(({ existed }) => existed)).toEqual([false])
  const [older] = await allOf(findLegacyAttestations(target, untagged.root))
  expect(older?.bundle.envelope).toEqual(bundle?.bundle.envelope)
  const { inclusionProof, ...promised } = bundle?.bundle.logEntries[0] ?? {}
  expect(inclusionProof).toBeDefined()
  expect(older?.bundle.logEntries).toEqual([promised])
  expect([logged.length, none]).toEqual([1, []])
})

test('a timestamp is of the envelope there, and is asked for only where this form is wanted', async () => {
  await using shelf = await startShelf()
  const { target, untagged, state } = shelf
  const { witnesses, timestamped } = someWitnesses('tsa')
  const means = meansOf(somebody(), witnesses)
  await attest(shelf, [state(REVIEW)], means, { carried: false })
  expect(timestamped).toHaveLength(1)
  await attest(shelf, [signatureStatement([untagged.root.digest])], means)
  expect(timestamped).toHaveLength(2)

  await attest(shelf, [state(SCAN)], means)
  const [older] = await allOf(findLegacyAttestations(target, untagged.root))
  expect(timestamped).toHaveLength(4)
  expect(Buffer.from(timestamped[3] ?? [])).toEqual(Buffer.from(older?.bundle.timestamped ?? []))
  expect(older?.bundle.timestamps).toEqual([Buffer.from('timestamp 4')])
})

test.each([
  ['whose entry is of Rekor 2', someWitnesses(2), someWitnesses(1)],
  ['that only a timestamp dates', someWitnesses('tsa'), someWitnesses('tsa')],
])('a bundle %s cannot be had in this form: another is signed, once', async (_, before, after) => {
  await using shelf = await startShelf()
  const { target, untagged, state } = shelf
  const identity = somebody()
  const bundles = async (): Promise<number> => (await allOf(findBundles(target, untagged.root))).length
  await attest(shelf, [state(REVIEW)], meansOf(identity, before.witnesses), { carried: false })
  expect(await bundles()).toBe(1)
  for (const existed of [false, true, true]) {
    const [one] = await attest(shelf, [state(REVIEW)], meansOf(identity, after.witnesses))
    expect(one?.existed).toBe(existed)
    expect(await bundles()).toBe(2)
  }
  expect(await allOf(findLegacyAttestations(target, untagged.root))).toHaveLength(1)
})

test('a layout gets none, which is told', async () => {
  await using shelf = await startShelf()
  const output: Output = { kind: 'oci', path: 'out', tags: [], images: [] }
  const places = [{ target: shelf.target, output }]
  const told: SignEvent[] = []
  const { witnesses, logged, timestamped } = someWitnesses(2, 'tsa')
  const layout = { untagged: { ...shelf.untagged, places } }
  const onEvent = (event: SignEvent): void => void told.push(event)
  const means = meansOf(someKey(), witnesses)
  expect(await attest(layout, [shelf.state(REVIEW)], means, { onEvent })).toEqual([])
  expect(await attest(layout, [shelf.state(REVIEW)], means)).toEqual([])
  // Nor is anything done for it: one bundle is enough.
  expect([logged.length, timestamped.length]).toEqual([1, 1])
  expect(told).toContainEqual({
    type: 'notice',
    text: `${shelf.target.place} gets no attestations in the older form, which are of repositories`,
  })
})
