import { join } from 'node:path'
import { startSpecRegistry, type SpecRegistry } from '../../../conformance/server/registry.ts'
import { composeArtifact } from '../../../src/artifact/artifact.ts'
import { pushArtifact } from '../../../src/artifact/push-artifact.ts'
import type { ReferrerLister, Target } from '../../../src/content/ports.ts'
import { readAll } from '../../../src/content/verify.ts'
import { openLayout } from '../../../src/layout/directory.ts'
import type { Descriptor } from '../../../src/oci/descriptor.ts'
import { digestOf } from '../../../src/oci/digest.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../../src/oci/media-type.ts'
import { NOTATION_TYPE } from '../../../src/sign/media-types.ts'
import { composeNotationArtifact } from '../../../src/sign/notation/artifact.ts'
import { attachNotation, type AttachNotationOptions, type AttachedNotation } from '../../../src/sign/notation/attach.ts'
import { findNotation } from '../../../src/sign/notation/find.ts'
import { signNotation } from '../../../src/sign/notation/signature.ts'
import { verifyNotation } from '../../../src/sign/notation/verify.ts'
import { layerOf } from '../../artifact/shelf.ts'
import { blobOf, clientOf, documentOf } from '../../registry/client.ts'
import { temporaryDirectory } from '../../support/peers.ts'
import { SERVER_AUTH } from '../../support/certificates.ts'
import { chainOf, NOW } from './chains.ts'

type Place = Target & ReferrerLister

interface Opened extends AsyncDisposable {
  readonly place: Place
  readonly registry: SpecRegistry | undefined
}

const signer = chainOf()
const DAY = 86_400

async function openRegistry(referrers: boolean): Promise<Opened> {
  await using stack = new AsyncDisposableStack()
  const registry = stack.use(await startSpecRegistry({ referrers }))
  const place = stack.use(clientOf(registry)).open('team/app')
  const opened = stack.move()
  return { registry, place, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

async function openDirectory(): Promise<Opened> {
  const directory = await temporaryDirectory()
  const place = openLayout(join(directory.path, 'layout'))
  return { registry: undefined, place, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() }
}

/** An index of one manifest, tagged v1. */
async function pushImage(place: Place): Promise<{ readonly index: Descriptor; readonly manifest: Descriptor }> {
  const layer = layerOf('layer', undefined, { mediaType: 'application/vnd.oci.image.layer.v1.tar' })
  const rootfs = { type: 'layers', diff_ids: [layer.descriptor.digest] }
  const config = documentOf(OCI_CONFIG, { os: 'linux', architecture: 'amd64', rootfs })
  const parts = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: config.descriptor, layers: [layer.descriptor] }
  const manifest = documentOf(OCI_MANIFEST, parts)
  const index = documentOf(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [manifest.descriptor] })
  for (const blob of [config, layer, manifest, index]) await place.push(blob)
  await place.tag(index, ['v1'])
  return { index: index.descriptor, manifest: manifest.descriptor }
}

async function attach(
  place: Place,
  subject: Descriptor,
  options: Partial<AttachNotationOptions> = {},
): Promise<AttachedNotation> {
  const { key, chain } = signer
  const attached = await attachNotation(place, subject, { key, chain, now: NOW, ...options })
  await place.close?.()
  return attached
}

async function signatureOn(place: Place, subject: Descriptor): Promise<readonly Descriptor[]> {
  const all: Descriptor[] = []
  for await (const { descriptor, jws } of findNotation(place, subject)) {
    const verdict = await verifyNotation(jws, { subject, trusted: [signer.root], now: NOW })
    if (verdict.signature) all.push(descriptor)
  }
  return all
}

describe.each([
  ['a registry with lists of referrers', () => openRegistry(true)],
  ['a registry without', () => openRegistry(false)],
  ['a layout', openDirectory],
])('in %s', (_name, open) => {
  test('a signature hangs on an index and on a manifest in it, and is believed there', async () => {
    await using opened = await open()
    const { place } = opened
    const { index, manifest } = await pushImage(place)
    for (const subject of [index, manifest]) {
      const { descriptor, existed } = await attach(place, subject)
      expect(existed).toBe(false)
      expect((await signatureOn(place, subject)).map(({ digest }) => digest)).toEqual([descriptor.digest])
    }
  })

  test('signing again adds nothing', async () => {
    await using opened = await open()
    const { place, registry } = opened
    const { index } = await pushImage(place)
    const first = await attach(place, index, { annotations: { b: '1', a: '2' } })
    const seen = registry?.requests.length ?? 0
    const again = await attach(place, index, { annotations: { a: '2', b: '1' }, now: NOW + DAY })
    expect(again.existed).toBe(true)
    expect(again.descriptor.digest).toBe(first.descriptor.digest)
    const methods = registry?.requests.slice(seen).map(({ method }) => method) ?? []
    expect(methods.filter(method => method !== 'GET' && method !== 'HEAD')).toEqual([])
    expect(await signatureOn(place, index)).toHaveLength(1)
  })

  test('what is signed is the media type and size that are there, whatever the caller believes', async () => {
    await using opened = await open()
    const { place } = opened
    const { index } = await pushImage(place)
    await attach(place, { ...index, mediaType: OCI_MANIFEST, size: 1, annotations: { a: 'b' } })
    expect(await signatureOn(place, index)).toHaveLength(1)
  })
})

describe('a signature is made although there is one', () => {
  test.each<[string, Partial<AttachNotationOptions>, Partial<AttachNotationOptions>]>([
    ['of somebody else', chainOf(), {}],
    ['that says less', {}, { annotations: { build: '7' } }],
    ['that says more', { annotations: { build: '7' } }, {}],
    ['that expires, where this one is to hold', { expirySeconds: DAY }, {}],
    ['that holds for ever, where this one is to expire', {}, { expirySeconds: DAY }],
    [
      'that has less than half of its time left',
      { expirySeconds: DAY },
      { expirySeconds: DAY, now: NOW + DAY / 2 + 1 },
    ],
  ])('%s', async (_name, before, now) => {
    await using opened = await openRegistry(true)
    const { index } = await pushImage(opened.place)
    const first = await attach(opened.place, index, before)
    const second = await attach(opened.place, index, now)
    expect(second.existed).toBe(false)
    expect(second.descriptor.digest).not.toBe(first.descriptor.digest)
    expect((await attach(opened.place, index, now)).existed).toBe(true)
  })

  test('that has half of its time left is left as it is', async () => {
    await using opened = await openRegistry(true)
    const { index } = await pushImage(opened.place)
    await attach(opened.place, index, { expirySeconds: DAY })
    expect((await attach(opened.place, index, { expirySeconds: DAY, now: NOW + DAY / 2 })).existed).toBe(true)
  })

  test('that was tampered with, or is no signature at all', async () => {
    await using opened = await openRegistry(false)
    const { place } = opened
    const { index } = await pushImage(place)
    const { key, chain } = signer
    const jws = Buffer.from(await signNotation(index, { key, chain, signingTime: NOW })).toString()
    const broken = jws.replace(/"signature":"...../, '"signature":"AAAAA')
    for (const text of [broken, '{', 'x'.repeat(100)]) {
      await pushArtifact(place, composeNotationArtifact(Buffer.from(text), index, { thumbprints: [], created: NOW }))
    }
    const cose = blobOf(Buffer.from('cose'), 'application/cose')
    await pushArtifact(place, composeArtifact({ artifactType: NOTATION_TYPE, layers: [cose], subject: index }))
    const two = [layerOf(jws, undefined, { mediaType: 'application/jose+json' }), layerOf('more')]
    await pushArtifact(place, composeArtifact({ artifactType: NOTATION_TYPE, layers: two, subject: index }))
    await place.close?.()
    expect((await attach(place, index)).existed).toBe(false)
    expect(await signatureOn(place, index)).toHaveLength(1)
  })
})

test('one in the form of the draft is enough, with an artifact type and the empty config', async () => {
  await using opened = await openRegistry(true)
  const { place } = opened
  const { index } = await pushImage(place)
  const { key, chain } = signer
  const jws = await signNotation(index, { key, chain, signingTime: NOW })
  const layers = [blobOf(jws, 'application/jose+json')]
  const newer = composeArtifact({ artifactType: NOTATION_TYPE, layers, subject: index })
  await pushArtifact(place, newer)
  const { existed, descriptor } = await attach(place, index)
  expect(existed).toBe(true)
  expect(descriptor.digest).toBe(newer.manifest.descriptor.digest)
})

test('with a certificate that verifiers refuse, the registry is not even asked', async () => {
  await using opened = await openRegistry(true)
  const { index } = await pushImage(opened.place)
  const seen = opened.registry?.requests.length
  const { key, chain } = chainOf({ leaf: { purposes: [SERVER_AUTH] } })
  await expect(attach(opened.place, index, { key, chain })).rejects.toMatchObject({ code: 'UNUSABLE_CERTIFICATE' })
  expect(opened.registry?.requests.length).toBe(seen)
})

test('without a subject there is nothing to sign', async () => {
  await using opened = await openRegistry(true)
  await pushImage(opened.place)
  const subject = { mediaType: OCI_INDEX, digest: digestOf(Buffer.from('gone')), size: 4 }
  await expect(attach(opened.place, subject)).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('the signature is stored with the thumbprints of its chain', async () => {
  await using opened = await openRegistry(true)
  const { place } = opened
  const { index } = await pushImage(place)
  const { descriptor } = await attach(place, index)
  const bytes = await readAll(place.open(descriptor), { maxBytes: 1 << 20, what: 'manifest' })
  const { annotations } = JSON.parse(Buffer.from(bytes).toString()) as { annotations: Readonly<Record<string, string>> }
  const thumbprints = JSON.parse(annotations['io.cncf.notary.x509chain.thumbprint#S256'] ?? '') as readonly string[]
  expect(thumbprints.map(hex => `sha256:${hex}`)).toEqual(signer.chain.map(({ raw }) => digestOf(raw)))
})
