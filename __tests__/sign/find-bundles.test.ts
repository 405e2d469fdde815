import { composeArtifact, type Artifact } from '../../src/artifact/artifact.ts'
import { pushArtifact } from '../../src/artifact/push-artifact.ts'
import { bytesBlob, type Blob } from '../../src/content/blob.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import type { ReferrerLister, Source, Target } from '../../src/content/ports.ts'
import type { Descriptor } from '../../src/oci/descriptor.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { startSpecRegistry } from '../../conformance/server/registry.ts'
import { bundleReferrer } from '../support/bundle-referrer.ts'
import { BUNDLE_TYPE } from '../../src/sign/media-types.ts'
import { findBundles, type FindBundlesOptions } from '../../src/sign/find-bundles.ts'
import { SIGNATURE_PREDICATE, signatureStatement } from '../../src/sign/statement.ts'
import { clientOf, documentOf } from '../registry/client.ts'
import { allOf } from './all-of.ts'
import { DIGEST, OTHER, someBundle, someKey } from './some-bundles.ts'

const subject: Descriptor = { mediaType: OCI_MANIFEST, digest: DIGEST, size: 401 }
const PROVENANCE = 'https://slsa.dev/provenance/v1'

/** A place whose list of referrers is whatever a client, or somebody with bad intentions, has written there. */
async function placeOf(listed: readonly (readonly [Artifact, Partial<Descriptor>?])[]): Promise<{
  readonly source: Source & ReferrerLister
  readonly opened: () => number
}> {
  const store = new MemoryStore('r.example/app')
  let opened = 0
  for (const [{ manifest, blobs }] of listed) for (const blob of [...blobs, manifest]) await store.push(blob)
  const source: Source & ReferrerLister = {
    place: store.place,
    resolve: name => store.resolve(name),
    open: (descriptor, options) => {
      opened++
      return store.open(descriptor, { ...(options?.signal && { signal: options.signal }) })
    },
    async *referrers() {
      for (const [{ manifest }, more] of listed) yield await Promise.resolve({ ...manifest.descriptor, ...more })
    },
  }
  return { source, opened: () => opened }
}

async function collect(
  source: Source & ReferrerLister,
  options: FindBundlesOptions = {},
): Promise<{ readonly types: readonly string[]; readonly unreadable: readonly string[] }> {
  const [types, unreadable]: [string[], string[]] = [[], []]
  const onUnreadable = (text: string): void => void unreadable.push(text)
  for await (const { statement } of findBundles(source, subject, { onUnreadable, ...options })) {
    types.push(statement.predicateType)
  }
  return { types, unreadable }
}

const signature = async (predicateType = SIGNATURE_PREDICATE): Promise<Artifact> => {
  const { bytes } = await someBundle(someKey(), { ...signatureStatement([DIGEST]), predicateType })
  return bundleReferrer(bytes, predicateType, subject)
}

const layerOf = (text: string, mediaType = BUNDLE_TYPE): Blob => {
  const bytes = Buffer.from(text)
  return bytesBlob({ descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength }, bytes })
}

const artifactOf = (...layers: readonly Blob[]): Artifact =>
  composeArtifact({ artifactType: BUNDLE_TYPE, layers, subject })

describe('findBundles()', () => {
  test('finds bundles, and nothing else that refers to the subject', async () => {
    const sbom = composeArtifact({
      artifactType: 'application/spdx+json',
      layers: [layerOf('{}', 'text/plain')],
      subject,
    })
    const { source, opened } = await placeOf([[sbom], [await signature()], [await signature(PROVENANCE)]])
    expect(await collect(source)).toEqual({ types: [SIGNATURE_PREDICATE, PROVENANCE], unreadable: [] })
    expect(opened()).toBe(4)
  })

  test('gives the bytes of the bundle, and the manifest as it is listed', async () => {
    const artifact = await signature()
    const { source } = await placeOf([[artifact]])
    for await (const { descriptor, bytes, statement } of findBundles(source, subject)) {
      expect(descriptor).toEqual(artifact.manifest.descriptor)
      expect(digestOf(bytes)).toBe(artifact.blobs.at(-1)?.descriptor.digest)
      expect(statement.subjects).toEqual([{ digest: DIGEST, annotations: {} }])
    }
    expect.assertions(3)
  })

  test.each([
    ['has no type', ''],
    ['has the type of the config', 'application/vnd.oci.empty.v1+json'],
  ])('looks into a referrer that in the list %s', async (_, artifactType) => {
    const other = composeArtifact({ layers: [layerOf('x', 'text/plain')], subject })
    const { source } = await placeOf([
      [other, { artifactType }],
      [await signature(), { artifactType }],
    ])
    expect(await collect(source)).toEqual({ types: [SIGNATURE_PREDICATE], unreadable: [] })
  })

  test('looks into a referrer as cosign lists it where the registry keeps no list', async () => {
    const { source } = await placeOf([[await signature()]])
    const untyped = ({ mediaType, digest, size }: Descriptor): Descriptor => ({ mediaType, digest, size })
    const listed = await allOf(source.referrers(subject))
    const { types } = await collect({ ...source, referrers: () => each(listed.map(untyped)) })
    expect(types).toEqual([SIGNATURE_PREDICATE])
  })

  test('what is listed as a bundle under another name of its version is one', async () => {
    const { source } = await placeOf([[await signature(), { artifactType: `${BUNDLE_TYPE};x=y` }]])
    expect((await collect(source)).types).toEqual([SIGNATURE_PREDICATE])
  })

  test('a bundle whose manifest has no subject counts where the list names it', async () => {
    const { bytes } = await someBundle(someKey())
    const artifact = composeArtifact({ artifactType: BUNDLE_TYPE, layers: [layerOf(Buffer.from(bytes).toString())] })
    const { source } = await placeOf([[artifact]])
    expect((await collect(source)).types).toEqual([SIGNATURE_PREDICATE])
  })

  describe('with a predicate type', () => {
    const annotated = { annotations: { 'dev.sigstore.bundle.predicateType': PROVENANCE } }

    test('does not fetch what the list says is something else', async () => {
      const { source, opened } = await placeOf([[await signature(PROVENANCE), annotated], [await signature()]])
      expect(await collect(source, { predicateType: SIGNATURE_PREDICATE })).toEqual({
        types: [SIGNATURE_PREDICATE],
        unreadable: [],
      })
      expect(opened()).toBe(2)
    })

    test('believes the statement, not a list that says nothing', async () => {
      const { source } = await placeOf([[await signature(PROVENANCE)], [await signature()]])
      expect((await collect(source, { predicateType: PROVENANCE })).types).toEqual([PROVENANCE])
    })

    test('believes the statement, not annotations that say it is wanted', async () => {
      const { bytes } = await someBundle(someKey())
      const { source } = await placeOf([[bundleReferrer(bytes, PROVENANCE, subject), annotated]])
      expect(await collect(source, { predicateType: PROVENANCE })).toEqual({ types: [], unreadable: [] })
    })
  })

  const elsewhere = composeArtifact({
    artifactType: BUNDLE_TYPE,
    layers: [layerOf('{}')],
    subject: { ...subject, digest: OTHER },
  })
  const sized = layerOf('{}')
  const huge = { ...sized, descriptor: { ...sized.descriptor, size: (24 << 20) + 1 } }
  test.each([
    ['no layer of its type', artifactOf(layerOf('{}', 'text/plain')), 'this one has text/plain'],
    ['two layers', artifactOf(layerOf('{}'), layerOf('[]')), 'a bundle is the only layer of its manifest'],
    ['junk in it', artifactOf(layerOf('junk')), 'not JSON'],
    ['another subject', elsewhere, `is listed as a referrer of ${DIGEST}, but refers to ${OTHER}`],
    [
      'a bundle of something else',
      artifactOf(
        layerOf(
          JSON.stringify({
            mediaType: BUNDLE_TYPE,
            verificationMaterial: { publicKey: {} },
            dsseEnvelope: { payload: 'e30=', payloadType: 'text/plain', signatures: [{ sig: '' }] },
          }),
        ),
      ),
      'holds a "text/plain", and statements are "application/vnd.in-toto+json"',
    ],
  ])('tells of one that has %s, and goes on', async (_, broken, because) => {
    const { source } = await placeOf([[broken], [await signature()]])
    const { types, unreadable } = await collect(source)
    expect(types).toEqual([SIGNATURE_PREDICATE])
    expect(unreadable).toHaveLength(1)
    expect(unreadable[0]).toContain(because)
    expect(unreadable[0]).toContain(`r.example/app@${broken.manifest.descriptor.digest}`)
  })

  test('tells of one that is too large without fetching it', async () => {
    const { manifest } = artifactOf(huge)
    const { source, opened } = await placeOf([[{ manifest, blobs: [] }], [await signature()]])
    const { types, unreadable } = await collect(source)
    expect(types).toEqual([SIGNATURE_PREDICATE])
    expect(unreadable.join()).toContain('has more than 25165824 bytes')
    expect(opened()).toBe(3)
  })

  test('tells of one that was deleted, and goes on', async () => {
    const { source } = await placeOf([[{ ...(await signature()), blobs: [] }], [await signature(PROVENANCE)]])
    const { types, unreadable } = await collect(source)
    expect(types).toEqual([PROVENANCE])
    expect(unreadable.join()).toMatch(/^r.example\/app has no sha256:\w+$/)
  })

  test('does not take a registry that fails for a broken bundle', async () => {
    const { source } = await placeOf([[await signature()]])
    const failing = { ...source, open: () => fails() }
    await expect(collect(failing)).rejects.toThrow('the line is cut')
  })

  test('ends after so many, and says so', async () => {
    const artifact = await signature()
    const many = Array.from({ length: 201 }, () => [artifact] as const)
    const { source, opened } = await placeOf(many)
    const { types, unreadable } = await collect(source)
    expect(types).toHaveLength(200)
    expect(unreadable).toEqual([
      `r.example/app@${DIGEST}: more than 200 manifests refer to it as bundles; the rest was not looked at`,
    ])
    expect(opened()).toBe(400)
  })

  test.each(['api', 'tag'] as const)('finds what was attached in a registry that lists referrers by %s', async kind => {
    await using registry = await startSpecRegistry({ referrers: kind === 'api' })
    await using client = clientOf(registry)
    const target = client.open('team/app') as Target & ReferrerLister
    const image = documentOf(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] })
    await target.push(image)
    const { bytes } = await someBundle(someKey(), signatureStatement([image.descriptor.digest]))
    await pushArtifact(target, bundleReferrer(bytes, SIGNATURE_PREDICATE, image.descriptor))
    await target.close?.()
    const found = await allOf(findBundles(target, image.descriptor, { predicateType: SIGNATURE_PREDICATE }))
    expect(found.map(one => digestOf(one.bytes))).toEqual([digestOf(bytes)])
  })
})

async function* each(descriptors: readonly Descriptor[]): AsyncGenerator<Descriptor> {
  for (const one of descriptors) yield await Promise.resolve(one)
}

function fails(): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('the line is cut')) }) }
}
