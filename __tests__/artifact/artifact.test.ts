import { composeArtifact, emptyBlob, type Artifact } from '../../src/artifact/artifact.ts'
import { pushArtifact } from '../../src/artifact/push-artifact.ts'
import { bytesBlob } from '../../src/content/blob.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import { readAll } from '../../src/content/verify.ts'
import { digestOf } from '../../src/oci/digest.ts'

const fileOf = (text: string, mediaType = 'text/plain') => {
  const bytes = new TextEncoder().encode(text)
  return bytesBlob({ bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength } })
}

async function written({ manifest }: Artifact): Promise<Record<string, unknown>> {
  const bytes = await readAll(manifest.open(), { maxBytes: 1 << 20, what: 'manifest' })
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>
}

describe('composeArtifact', () => {
  test('an artifact without config has the empty one, with its two bytes in the manifest', async () => {
    const manifest = await written(composeArtifact({ artifactType: 'application/x.y', layers: [fileOf('a')] }))
    expect(manifest).toMatchObject({
      artifactType: 'application/x.y',
      config: { mediaType: 'application/vnd.oci.empty.v1+json', size: 2, data: 'e30=' },
      layers: [{ mediaType: 'text/plain', size: 1 }],
    })
    expect(manifest).not.toHaveProperty('subject')
    expect(manifest).not.toHaveProperty('annotations')
  })

  test('an artifact of no files is valid for registries that want a layer', async () => {
    const artifact = composeArtifact({ artifactType: 'application/x.y', layers: [] })
    expect(await written(artifact)).toMatchObject({ layers: [emptyBlob().descriptor] })
    expect(artifact.blobs).toHaveLength(1)
  })

  test('a config of its own says what it is; no type is made up beside it', async () => {
    const config = fileOf('{"a":1}', 'application/vnd.example.config+json')
    expect(await written(composeArtifact({ config, layers: [fileOf('a')] }))).not.toHaveProperty('artifactType')
  })

  test('neither type nor config: the type that others give it, so that it can be found', async () => {
    expect(await written(composeArtifact({ layers: [fileOf('a')] }))).toMatchObject({
      artifactType: 'application/vnd.unknown.artifact.v1',
    })
  })

  test('the order in which annotations are written does not change the digest', () => {
    const compose = (annotations: Record<string, string>) => composeArtifact({ layers: [fileOf('a')], annotations })
    expect(compose({ b: '1', a: '2' }).manifest.descriptor).toEqual(compose({ a: '2', b: '1' }).manifest.descriptor)
  })

  test('a subject is told by type, digest and size alone, not by what its index says of it', async () => {
    const subject = { ...fileOf('s', 'application/vnd.oci.image.manifest.v1+json').descriptor }
    const platform = { os: 'linux', architecture: 'arm64' }
    const manifest = await written(composeArtifact({ layers: [], subject: { ...subject, platform } }))
    expect(manifest['subject']).toEqual(subject)
  })
})

describe('pushArtifact', () => {
  test('a tag points at the whole artifact, and a second push sends nothing', async () => {
    const store = new MemoryStore()
    const artifact = composeArtifact({ artifactType: 'application/x.y', layers: [fileOf('a'), fileOf('b')] })
    const first = await pushArtifact(store, artifact, { tags: ['v1'] })
    expect(first.sent.descriptors).toHaveLength(4)
    expect(await store.resolve('v1')).toEqual(artifact.manifest.descriptor)
    for (const { descriptor } of artifact.blobs) expect(await store.has(descriptor)).toBe(true)
    expect((await pushArtifact(store, artifact, { tags: ['v1'] })).sent.descriptors).toEqual([])
  })
})
