import type { KeyObject } from 'node:crypto'
import { attachTo } from '../../src/artifact/attach.ts'
import { composeArtifact } from '../../src/artifact/artifact.ts'
import { pushArtifact } from '../../src/artifact/push-artifact.ts'
import type { Abortable } from '../../src/async/abortable.ts'
import type { Blob } from '../../src/content/blob.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import type { ReferrerLister, Source, Target } from '../../src/content/ports.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { parseReference } from '../../src/oci/reference.ts'
import { bundleReferrer } from '../support/bundle-referrer.ts'
import { parseBundle } from '../../src/sign/bundle.ts'
import { BUNDLE_TYPE } from '../../src/sign/media-types.ts'
import { serializeEnvelope } from '../../src/sign/envelope-json.ts'
import { keyHint } from '../../src/sign/key-signer.ts'
import { legacyAttestationLayer } from '../../src/sign/legacy-attestation.ts'
import { legacyLayer, legacyPayload, legacyTag } from '../../src/sign/legacy.ts'
import { parsePolicies } from '../../src/sign/policy.ts'
import type { SigningIdentity } from '../../src/sign/signer.ts'
import { signatureStatement, type Statement } from '../../src/sign/statement.ts'
import type { TrustedRoot } from '../../src/sign/trusted-root.ts'
import { verifySignatures, type Verification, type VerifyRequest } from '../../src/sign/verify.ts'
import type { Witnesses } from '../../src/sign/witness.ts'
import { layerOf } from '../artifact/shelf.ts'
import { blobOf, clientOf, documentOf } from '../registry/client.ts'
import { startSpecRegistry } from '../../conformance/server/registry.ts'
import { bareKey, startKeyless, witnessedBundle, type BareKey, type Keyless } from './keyless.ts'

const SAN = 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main'
const ISSUER = 'https://token.actions.githubusercontent.com'
const PROVENANCE = 'https://slsa.dev/provenance/v1'
const layer = layerOf('layer', undefined, { mediaType: 'application/vnd.oci.image.layer.v1.tar' })

type Place = Target & ReferrerLister

interface Shelf extends AsyncDisposable {
  readonly place: Place
  readonly index: Descriptor
  readonly amd64: Descriptor
  readonly arm64: Descriptor
}

async function pushImage(place: Place, architecture: string): Promise<Descriptor> {
  const config = documentOf(OCI_CONFIG, { os: 'linux', architecture, rootfs: { type: 'layers', diff_ids: [] } })
  const parts = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: config.descriptor, layers: [layer.descriptor] }
  const manifest = documentOf(OCI_MANIFEST, parts)
  for (const blob of [config, layer, manifest]) await place.push(blob)
  return manifest.descriptor
}

/** A registry in this process with an index of two platforms, tagged v1. */
async function startShelf(): Promise<Shelf> {
  const registry = await startSpecRegistry()
  const client = clientOf(registry)
  const place = client.open('team/app')
  const [amd64, arm64] = [await pushImage(place, 'amd64'), await pushImage(place, 'arm64')]
  const manifests = [amd64, arm64].map((one, i) => ({
    ...one,
    platform: { os: 'linux', architecture: i === 0 ? 'amd64' : 'arm64' },
  }))
  const index = documentOf(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests })
  await place.push(index)
  await place.tag(index, ['v1'])
  return {
    ...{ place, index: index.descriptor, amd64, arm64 },
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]()
      await registry[Symbol.asyncDispose]()
    },
  }
}

let shelf: Shelf
let key: BareKey
let keyless: Keyless
beforeAll(async () => {
  keyless = await startKeyless({ rekor: 1 })
})
afterAll(() => keyless[Symbol.asyncDispose]())
beforeEach(async () => {
  shelf = await startShelf()
  key = bareKey()
})
afterEach(() => shelf[Symbol.asyncDispose]())

async function hang(subject: Descriptor, bundle: Uint8Array, predicateType: string): Promise<Descriptor> {
  const { manifest, blobs } = bundleReferrer(bundle, predicateType, subject)
  await push([...blobs, manifest])
  return manifest.descriptor
}

async function push(blobs: readonly Blob[]): Promise<void> {
  for (const blob of blobs) await shelf.place.push(blob)
  await shelf.place.close?.()
}

async function attest(
  by: SigningIdentity,
  subject: Descriptor = shelf.index,
  statement: Statement = signatureStatement([subject.digest]),
  witnesses: Witnesses = {},
): Promise<Descriptor> {
  return hang(subject, await witnessedBundle(by, statement, witnesses), statement.predicateType)
}

async function signOlder({ signer, by }: SigningIdentity, { digest }: Descriptor = shelf.index): Promise<void> {
  const payload = legacyPayload({ host: 'r.example', repository: 'team/app' }, digest)
  const blob = legacyLayer({ payload, signature: await signer.sign(payload), by })
  await pushArtifact(shelf.place, composeArtifact({ layers: [blob] }), { tags: [legacyTag(digest)] })
}

interface Told {
  readonly notices: string[]
  readonly roots: (string | undefined)[]
}

interface Circumstances extends Abortable {
  readonly told?: Told
  readonly name?: string
  readonly source?: Source
  readonly keys?: Readonly<Record<string, KeyObject>>
}

/** `key=ours` is the key of this test. */
async function verify(
  lines: readonly string[],
  more: Partial<VerifyRequest> = {},
  { told, name = 'v1', source = shelf.place, keys = {}, signal }: Circumstances = {},
): Promise<Verification> {
  const { policies, problems } = parsePolicies(lines, 'policy')
  if (problems.length > 0) throw new Error(problems[0]?.problem)
  return verifySignatures(
    { reference: parseReference('r.example/team/app:v1'), policies, ...more },
    {
      locate: () => ({ source, name }),
      readKey: one => Promise.resolve(keys[one] ?? key.publicKey),
      loadTrustedRoot: (file): Promise<TrustedRoot> => {
        told?.roots.push(file)
        return Promise.resolve(keyless.root)
      },
      onEvent: ({ text }) => told?.notices.push(text),
    },
    { signal },
  )
}

const OURS = 'key=ours'
const WHO = `identity=${SAN},issuer=${ISSUER}`

test('a signature by the key is found, and the digest that was looked up is told', async () => {
  const digest = (await attest(key)).digest
  const { place, root, verified } = await verify([OURS])
  expect({ place, root: root.digest }).toEqual({ place: shelf.place.place, root: shelf.index.digest })
  expect(verified).toMatchObject([
    {
      descriptor: { digest: shelf.index.digest },
      platform: undefined,
      signatures: [{ form: 'bundle', digest, by: { keyHint: keyHint(key.publicKey) } }],
    },
  ])
})

test('a tag that moves while signatures are looked at changes nothing: the digest was looked up once', async () => {
  await attest(key)
  const { place } = shelf
  let resolved = 0
  const resolve: Place['resolve'] = (name, io) =>
    name === 'v1' && resolved++ > 0 ? Promise.resolve(shelf.arm64) : place.resolve(name, io)
  const moving = new Proxy(place, {
    get(target, name) {
      const value: unknown = name === 'resolve' ? resolve : Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  const { root, verified } = await verify([OURS], {}, { source: moving })
  expect([root.digest, verified[0]?.descriptor.digest, resolved]).toEqual([shelf.index.digest, shelf.index.digest, 1])
})

test('who signed without a key is verified against the trusted root of the policy, which is read once', async () => {
  await attest(await keyless.identity(), shelf.index, undefined, keyless.witnesses)
  const told: Told = { notices: [], roots: [] }
  const { verified } = await verify([`${WHO},trusted-root=root.json`, `${WHO}x,trusted-root=root.json`], {}, { told })
  expect(verified[0]?.signatures).toMatchObject([{ by: { identity: { san: SAN } }, times: [{}, {}], logIndexes: [{}] }])
  expect(told.roots).toEqual(['root.json'])
})

test('any policy that is satisfied is enough, and junk beside a good signature does no harm', async () => {
  const stranger = bareKey()
  await attest(stranger)
  await hang(shelf.index, Buffer.from('{"mediaType":"junk"}'), 'https://sigstore.dev/cosign/sign/v1')
  const about = signatureStatement([shelf.arm64.digest])
  await attest(key, shelf.index, about)
  await attest(key)
  const { verified } = await verify(['key=other', OURS], {}, { keys: { other: bareKey().publicKey } })
  expect(verified[0]?.signatures).toMatchObject([{ by: { keyHint: keyHint(key.publicKey) } }])
})

test('what is wrong with each signature is told in one sentence', async () => {
  const stranger = bareKey()
  await attest(stranger)
  await attest(await keyless.identity(), shelf.index, undefined, keyless.witnesses)
  await attest(key, shelf.index, signatureStatement([shelf.arm64.digest]))
  await signOlder(stranger)
  const error: unknown = await verify([OURS]).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'VERIFICATION_FAILED' })
  const { message } = error as Error
  const hint = keyHint(key.publicKey)
  const reasons = [
    `: the signature does not fit the key ${hint}`,
    `: signed by ${SAN} (issuer ${ISSUER}), not with the key ${hint}`,
    `: the statement is about ${shelf.arm64.digest}, not ${shelf.index.digest}`,
  ]
  expect(message).toContain(
    `${shelf.place.place}@${shelf.index.digest}: no signature of it is to be trusted: bundle sha256:`,
  )
  for (const reason of reasons) expect(message).toContain(reason)
  expect(message).toMatch(/; signature sha256:[0-9a-f]{12} in the older form: the signature does not fit the key /)
})

test('an attestation is no signature, and a signature is no attestation', async () => {
  await attest(key, shelf.index, {
    subjects: [{ digest: shelf.index.digest }],
    predicateType: PROVENANCE,
    predicate: {},
  })
  const where = `${shelf.place.place}@${shelf.index.digest}`
  await expect(verify([OURS])).rejects.toMatchObject({
    code: 'NOT_SIGNED',
    message: `${where} is not signed: no bundle says so, and there is no signature under the tag ${legacyTag(shelf.index.digest)}; others state ${PROVENANCE}`,
    hint: `whoever publishes it can run "oci-publish sign ${where}"; "oci-publish discover ${where}" shows what it has`,
  })
  await attest(key, shelf.arm64)
  await signOlder(key, shelf.arm64)
  await expect(verify([OURS], { predicateType: PROVENANCE }, { name: shelf.arm64.digest })).rejects.toMatchObject({
    code: 'NOT_SIGNED',
    message: `${shelf.place.place}@${shelf.arm64.digest} has no attestation of ${PROVENANCE}; others state https://sigstore.dev/cosign/sign/v1`,
    hint: expect.stringContaining(
      `/app@${shelf.arm64.digest} --predicate-type ${PROVENANCE} --predicate-path FILE"`,
    ) as string,
  })
  await expect(verify([OURS], { predicateType: PROVENANCE })).resolves.toBeDefined()
  await expect(verify([`${OURS},predicate-type=slsaprovenance1`])).resolves.toBeDefined()
})

test('an attestation in the older form counts as well, by a key as without one', async () => {
  const { place, index } = shelf
  const statement = { subjects: [{ digest: index.digest }], predicateType: PROVENANCE, predicate: { a: 1 } }
  const ours = parseBundle(await witnessedBundle(key, statement, {}), 'bundle')
  const theirs = parseBundle(await witnessedBundle(await keyless.identity(), statement, keyless.witnesses), 'bundle')
  // In this form a timestamp is of the whole envelope.
  const timestamp = await keyless.witnesses.timestamp?.(Buffer.from(serializeEnvelope(theirs.envelope)))
  const layers = [legacyAttestationLayer(ours, PROVENANCE), legacyAttestationLayer(theirs, PROVENANCE, timestamp)]
  await pushArtifact(place, composeArtifact({ layers }), { tags: [legacyTag(index.digest, 'attestation')] })
  const predicateType = PROVENANCE
  const byKey = await verify([OURS], { predicateType })
  expect(byKey.verified[0]?.signatures).toMatchObject([
    { form: 'legacy', predicateType, statement, by: { keyHint: keyHint(key.publicKey) } },
  ])
  const { verified } = await verify([WHO], { predicateType })
  expect(verified[0]?.signatures).toMatchObject([
    { form: 'legacy', by: { identity: { san: SAN } }, times: [{ by: 'log' }, { by: 'timestamp' }] },
  ])
  await expect(verify([OURS])).rejects.toMatchObject({ code: 'NOT_SIGNED' })
  await expect(verify([`${WHO}x`], { predicateType })).rejects.toThrow(
    /: no attestation of it is to be trusted: attestation sha256:[0-9a-f]{12} in the older form: signed with a key, not by /,
  )
})

test('a timestamp that is not of the envelope is wrong in the older form', async () => {
  const { place, index } = shelf
  const statement = { subjects: [{ digest: index.digest }], predicateType: PROVENANCE, predicate: {} }
  const bundle = parseBundle(await witnessedBundle(await keyless.identity(), statement, keyless.witnesses), 'bundle')
  const layers = [legacyAttestationLayer(bundle, PROVENANCE, bundle.timestamps[0])]
  await pushArtifact(place, composeArtifact({ layers }), { tags: [legacyTag(index.digest, 'attestation')] })
  await expect(verify([WHO], { predicateType: PROVENANCE })).rejects.toThrow(
    'in the older form: the timestamp does not fit the signature, or its authority is not trusted',
  )
})

test('of policies that ask for different statements each is compared with what it asks for', async () => {
  await attest(key, shelf.index, {
    subjects: [{ digest: shelf.index.digest }],
    predicateType: PROVENANCE,
    predicate: {},
  })
  const { verified } = await verify([OURS, `${OURS},predicate-type=slsaprovenance1`, `${OURS},predicate-type=vuln`])
  expect(verified[0]?.signatures).toMatchObject([{ predicateType: PROVENANCE }])
})

test('a signature in the older form counts, also where the bundles are by others', async () => {
  await signOlder(key)
  const told: Told = { notices: [], roots: [] }
  const { verified } = await verify([OURS], {}, { told })
  expect(verified[0]?.signatures).toMatchObject([{ form: 'legacy', statement: undefined }])
  expect(told.notices).toEqual([])
  await attest(bareKey())
  await expect(verify([OURS], {}, { told })).resolves.toMatchObject({
    verified: [{ signatures: [{ form: 'legacy' }] }],
  })
  expect(told.notices).toEqual([
    `${shelf.place.place}@${shelf.index.digest}: signed by the key ${keyHint(key.publicKey)} in the older form only; no bundle of it is trusted`,
  ])
})

test('something else under the tag of signatures is told, and no crash', async () => {
  const { place } = shelf
  const index = documentOf(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] })
  await place.push(index)
  await place.tag(index, [legacyTag(shelf.index.digest)])
  await expect(verify([OURS])).rejects.toMatchObject({
    code: 'NOT_SIGNED',
    message: expect.stringMatching(
      /; what cannot be read: .* is of type application\/vnd\.oci\.image\.index\.v1\+json/,
    ) as string,
  })
})

test('what is listed as a bundle and cannot be read is told', async () => {
  const junk = blobOf(Buffer.from('{}'), BUNDLE_TYPE)
  await attachTo(shelf.place, [{ descriptor: shelf.index, platform: undefined }], {
    artifactType: BUNDLE_TYPE,
    layers: [junk],
  })
  await expect(verify([OURS])).rejects.toThrow(/ is not signed: .*; what cannot be read: .*mediaType/)
})

test('each platform that is chosen has to be signed itself', async () => {
  await attest(key)
  await attest(key, shelf.amd64)
  await expect(verify([OURS], { choices: ['all'] })).rejects.toThrow(
    `${shelf.place.place}@${shelf.arm64.digest} is not signed`,
  )
  await attest(key, shelf.arm64)
  const { root, verified } = await verify([OURS], { choices: ['index', 'all'] })
  expect(root.digest).toBe(shelf.index.digest)
  expect(verified.map(({ descriptor, platform }) => [descriptor.digest, platform?.architecture])).toEqual([
    [shelf.index.digest, undefined],
    [shelf.amd64.digest, 'amd64'],
    [shelf.arm64.digest, 'arm64'],
  ])
})

test('a place without lists of referrers has signatures of the older form at most', async () => {
  const store = new MemoryStore('r.example/app')
  await store.push(layer)
  await store.tag(layer, ['v1'])
  await expect(verify([OURS], {}, { source: store })).rejects.toMatchObject({
    code: 'NOT_SIGNED',
    message: expect.stringContaining(
      'is not signed: r.example/app keeps no list of referrers, and there is no signature under',
    ) as string,
  })
})

test('nobody is trusted by default', async () => {
  await attest(key)
  await expect(verify([])).rejects.toMatchObject({ code: 'INVALID_INPUT' })
})

test('a signature that was stopped looking for is not one that is missing', async () => {
  const reason = new Error('stopped')
  await expect(verify([OURS], {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})
