import { bytesBlob, describedAs } from '../../src/content/blob.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import type { Source, Target } from '../../src/content/ports.ts'
import { readAll } from '../../src/content/verify.ts'
import { OciPublishError } from '../../src/errors.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { digestOf, parseDigest } from '../../src/oci/digest.ts'
import { parseManifest, type Manifest } from '../../src/oci/manifest.ts'
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { startSpecRegistry } from '../../conformance/server/registry.ts'
import { findLegacySignatures } from '../../src/sign/find-legacy.ts'
import { keySigner } from '../../src/sign/key-signer.ts'
import { addLegacySignature, composeLegacyArtifact } from '../../src/sign/legacy-artifact.ts'
import { legacyLayer, legacyPayload, legacyTag, type LegacyParts } from '../../src/sign/legacy.ts'
import { clientOf, documentOf } from '../registry/client.ts'
import { refusal } from './refusal.ts'
import { allOf } from './all-of.ts'
import { DIGEST, LOG_ENTRY, someKey, type SomeIdentity } from './some-bundles.ts'
import { someCertificate } from './some-certificates.ts'

const IMAGE = { host: 'r.example', repository: 'app' }
const SUBJECT = { digest: DIGEST }
const TAG = legacyTag(DIGEST)

async function partsOf({ by, privateKey }: SomeIdentity, more: Partial<LegacyParts> = {}): Promise<LegacyParts> {
  const payload = legacyPayload(IMAGE, DIGEST)
  return { payload, signature: await keySigner(privateKey).sign(payload), by, ...more }
}

const somebody = (): SomeIdentity => {
  const { certificate, privateKey } = someCertificate()
  return { by: { certificate, chain: [] }, privateKey }
}

const bytesOf = (place: Target, descriptor: Descriptor): Promise<Uint8Array> =>
  readAll(place.open(descriptor), { maxBytes: 1 << 20, what: 'document' })

async function manifestOf(place: Target): Promise<Manifest> {
  return parseManifest(await bytesOf(place, await place.resolve(TAG)), TAG)
}

async function configOf(place: Target): Promise<unknown> {
  return JSON.parse(Buffer.from(await bytesOf(place, (await manifestOf(place)).config)).toString())
}

describe('addLegacySignature()', () => {
  test('writes the first one as cosign does, to the byte', async () => {
    const place = new MemoryStore()
    const parts = await partsOf(someKey())
    const added = await addLegacySignature(place, SUBJECT, parts)
    const { descriptor } = legacyLayer(parts)
    const time = '0001-01-01T00:00:00Z'
    const config =
      `{"architecture":"","created":"${time}","history":[{"created":"${time}"}],"os":"",` +
      `"rootfs":{"type":"layers","diff_ids":["${descriptor.digest}"]},"config":{}}`
    const signature = Buffer.from(parts.signature).toString('base64')
    expect(Buffer.from(await bytesOf(place, added.manifest)).toString()).toBe(
      `{"schemaVersion":2,"mediaType":"${OCI_MANIFEST}",` +
        `"config":{"mediaType":"${OCI_CONFIG}","size":233,"digest":"${digestOf(Buffer.from(config))}"},` +
        `"layers":[{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","size":${parts.payload.byteLength},` +
        `"digest":"${descriptor.digest}","annotations":{"dev.cosignproject.cosign/signature":"${signature}"}}]}`,
    )
    expect(Buffer.from(await bytesOf(place, (await manifestOf(place)).config)).toString()).toBe(config)
    expect(added).toEqual({ tag: TAG, existed: false, manifest: await place.resolve(TAG) })
  })

  test('keeps the signatures of others as they are, and what others wrote besides', async () => {
    const place = new MemoryStore()
    const payload = documentOf('application/vnd.dev.cosign.simplesigning.v1+json', { from: 'elsewhere' })
    const layer = {
      ...payload.descriptor,
      annotations: { 'dev.cosignproject.cosign/signature': 'AAAA', x: '<y>' },
      odd: 1,
    }
    const history = [{ created: '2026-01-02T03:04:05Z', created_by: 'somebody' }]
    const rootfs = { type: 'layers', diff_ids: [layer.digest] }
    const config = documentOf(OCI_CONFIG, { architecture: '', os: '', history, rootfs, author: 'somebody' })
    const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: config.descriptor, layers: [layer] }
    const manifest = documentOf(OCI_MANIFEST, { ...document, annotations: { kept: 'yes' } })
    for (const blob of [payload, config, manifest]) await place.push(blob)
    await place.tag(manifest, [TAG])

    const parts = await partsOf(someKey())
    await addLegacySignature(place, SUBJECT, parts)
    const written: unknown = JSON.parse(Buffer.from(await bytesOf(place, await place.resolve(TAG))).toString())
    expect(written).toMatchObject({ annotations: { kept: 'yes' }, layers: [layer, legacyLayer(parts).descriptor] })
    expect(await configOf(place)).toEqual({
      architecture: '',
      created: '0001-01-01T00:00:00Z',
      os: '',
      config: {},
      author: 'somebody',
      history: [...history, { created: '0001-01-01T00:00:00Z' }],
      rootfs: { type: 'layers', diff_ids: [layer.digest, legacyLayer(parts).descriptor.digest] },
    })
  })

  test('mends the empty config that other tools write', async () => {
    const place = new MemoryStore()
    const first = legacyLayer(await partsOf(someKey()))
    const config = documentOf(OCI_CONFIG, {})
    const document = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: config.descriptor,
      layers: [first.descriptor],
    }
    const manifest = documentOf(OCI_MANIFEST, document)
    for (const blob of [first, config, manifest]) await place.push(blob)
    await place.tag(manifest, [TAG])
    await addLegacySignature(place, SUBJECT, await partsOf(someKey()))
    const NONE = { created: '0001-01-01T00:00:00Z' }
    expect(await configOf(place)).toMatchObject({ history: [NONE, NONE], rootfs: { diff_ids: [DIGEST_OF, DIGEST_OF] } })
  })

  test('leaves a config alone that is none of images', async () => {
    const place = new MemoryStore()
    const config = documentOf('application/vnd.oci.empty.v1+json', {})
    const manifest = documentOf(OCI_MANIFEST, {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: config.descriptor,
      layers: [],
    })
    for (const blob of [config, manifest]) await place.push(blob)
    await place.tag(manifest, [TAG])
    await addLegacySignature(place, SUBJECT, await partsOf(someKey()))
    expect(await manifestOf(place)).toMatchObject({ config: config.descriptor, layers: [{ digest: DIGEST_OF }] })
  })

  const [alice, bob] = [someKey(), someKey()]
  const workflow = somebody()
  const logged = { logEntry: LOG_ENTRY }
  test.each([
    ['the same key', alice, {}, alice, {}, 1],
    ['another key', alice, {}, bob, {}, 2],
    ['a log entry that the first lacks', alice, {}, alice, logged, 2],
    ['the same identity in another run', workflow, logged, somebody(), logged, 1],
    ['a certificate beside a key', alice, {}, workflow, logged, 2],
    ['the same identity, whose first signature nobody witnessed', workflow, {}, workflow, {}, 2],
  ])('signing twice with %s', async (_, first, firstParts, second, secondParts, count) => {
    const place = new MemoryStore()
    const one = await addLegacySignature(place, SUBJECT, await partsOf(first, firstParts))
    const two = await addLegacySignature(place, SUBJECT, await partsOf(second, secondParts))
    expect((await manifestOf(place)).layers).toHaveLength(count)
    expect(two.existed).toBe(count === 1)
    expect(two.manifest.digest === one.manifest.digest).toBe(count === 1)
  })

  test('another payload by the same key is another signature', async () => {
    const place = new MemoryStore()
    await addLegacySignature(place, SUBJECT, await partsOf(alice))
    const payload = legacyPayload(IMAGE, DIGEST, { env: 'prod' })
    const signature = await keySigner(alice.privateKey).sign(payload)
    await addLegacySignature(place, SUBJECT, await partsOf(alice, { payload, signature }))
    expect((await manifestOf(place)).layers).toHaveLength(2)
  })

  test('says what is in the way when the tag holds something else', async () => {
    const place = new MemoryStore('r.example/app')
    const index = documentOf(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] })
    await place.push(index)
    await place.tag(index, [TAG])
    await expect(addLegacySignature(place, SUBJECT, await partsOf(alice))).rejects.toThrow(
      refusal(
        'UNSUPPORTED',
        `r.example/app:${TAG} is of type ${OCI_INDEX}, and signatures in the older form are a manifest`,
      ),
    )
  })

  test('a registry keeps both signatures, and gives them back', async () => {
    await using registry = await startSpecRegistry()
    await using client = clientOf(registry)
    const target = client.open('team/app')
    await addLegacySignature(target, SUBJECT, await partsOf(alice))
    await addLegacySignature(target, SUBJECT, await partsOf(workflow, logged))
    const found = await allOf(findLegacySignatures(client.open('team/app', 'source'), SUBJECT))
    expect(found.map(({ says, certificate }) => [says.reference, certificate !== undefined])).toEqual([
      ['r.example/app', false],
      ['r.example/app', true],
    ])
    expect(found.map(({ bytes }) => Buffer.from(bytes))).toEqual(
      found.map(() => Buffer.from(legacyPayload(IMAGE, DIGEST))),
    )
  })
})

const DIGEST_OF = digestOf(legacyPayload(IMAGE, DIGEST))

describe('composeLegacyArtifact()', () => {
  test('refuses more signatures than cosign looks at', async () => {
    const layer = legacyLayer(await partsOf(someKey()))
    const config = documentOf(OCI_CONFIG, {})
    const layers = Array.from({ length: 1000 }, () => layer.descriptor)
    const json = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: config.descriptor, layers }
    const bytes = Buffer.from(JSON.stringify(json))
    const { descriptor } = documentOf(OCI_MANIFEST, json)
    const existing = { manifest: { descriptor, bytes }, config: Buffer.from('{}') }
    expect(() => composeLegacyArtifact([layer], existing, 'r.example/app:x.sig')).toThrow(
      refusal('TOO_LARGE', 'r.example/app:x.sig: has no room for more: 1000 layers is the limit'),
    )
  })

  test('refuses a manifest that registries would', async () => {
    const layer = legacyLayer(await partsOf(someKey()))
    const huge = describedAs(layer, { ...layer.descriptor, annotations: { x: 'x'.repeat(4 << 20) } })
    expect(() => composeLegacyArtifact([huge], undefined, 'x')).toThrow(
      refusal('TOO_LARGE', '4194304 bytes is the limit'),
    )
  })
})

describe('findLegacySignatures()', () => {
  test('finds none where there are none', async () => {
    expect(await allOf(findLegacySignatures(new MemoryStore(), SUBJECT))).toEqual([])
  })

  test('tells of a payload that is broken or gone, and reads the others', async () => {
    const place = new MemoryStore('r.example/app')
    const good = legacyLayer(await partsOf(someKey()))
    const layerOf = (text: string): typeof good => {
      const bytes = Buffer.from(text)
      const descriptor = { ...good.descriptor, digest: digestOf(bytes), size: bytes.byteLength }
      return bytesBlob({ descriptor, bytes })
    }
    const [junk, gone] = [layerOf('junk'), layerOf('gone')]
    const config = documentOf(OCI_CONFIG, {})
    const layers = [junk, gone, good].map(({ descriptor }) => descriptor)
    const manifest = documentOf(OCI_MANIFEST, {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: config.descriptor,
      layers,
    })
    for (const blob of [junk, good, config, manifest]) await place.push(blob)
    await place.tag(manifest, [TAG])
    const told: string[] = []
    const found = await allOf(findLegacySignatures(place, SUBJECT, { onUnreadable: text => void told.push(text) }))
    expect(found.map(({ says }) => says.digest)).toEqual([DIGEST])
    expect(told).toEqual([
      expect.stringContaining(`r.example/app@${junk.descriptor.digest}: not JSON`),
      `r.example/app has no ${gone.descriptor.digest}`,
    ])
  })

  test('tells of a payload that is too large without fetching it', async () => {
    const place = new MemoryStore('r.example/app')
    await addLegacySignature(place, SUBJECT, await partsOf(someKey()))
    const { layers, ...rest } = await manifestOf(place)
    const huge = layers.map(layer => ({ ...layer, size: (1 << 20) + 1 }))
    const manifest = documentOf(OCI_MANIFEST, { ...rest, layers: [...huge, ...layers] })
    await place.push(manifest)
    await place.tag(manifest, [TAG])
    const told: string[] = []
    const found = await allOf(findLegacySignatures(place, SUBJECT, { onUnreadable: text => void told.push(text) }))
    expect(found).toHaveLength(1)
    expect(told).toEqual([`r.example/app@${DIGEST_OF} has more than 1048576 bytes`])
  })

  test('does not take a place that cannot be reached for one without signatures', async () => {
    const place = new MemoryStore()
    await addLegacySignature(place, SUBJECT, await partsOf(someKey()))
    const open = place.open.bind(place)
    const cut = new OciPublishError('UNREACHABLE', 'the line is cut')
    const unresolved: Source = { place: 'r.example/app', open, resolve: () => Promise.reject(cut) }
    await expect(allOf(findLegacySignatures(unresolved, SUBJECT))).rejects.toBe(cut)
    const unread: Source = {
      place: 'r.example/app',
      resolve: name => place.resolve(name),
      open: descriptor => (descriptor.digest === DIGEST_OF ? fails(cut) : open(descriptor)),
    }
    await expect(allOf(findLegacySignatures(unread, SUBJECT))).rejects.toBe(cut)
  })

  test('of what is named by sha512 there is no tag, and so no signature', async () => {
    const digest = parseDigest(`sha512:${'ab'.repeat(64)}`)
    expect(await allOf(findLegacySignatures(new MemoryStore(), { digest }))).toEqual([])
  })
})

function fails(error: Error): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) }
}
