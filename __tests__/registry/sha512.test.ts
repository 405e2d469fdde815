import { createHash } from 'node:crypto'
import type { Blob } from '../../src/content/blob.ts'
import { parseDigest, type Digest } from '../../src/oci/digest.ts'
import { OCI_INDEX } from '../../src/oci/media-type.ts'
import { startSpecRegistry, type SpecRegistryOptions } from '../../conformance/server/registry.ts'
import { blobOf, clientOf } from './client.ts'

const BYTES = new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }))
const digestBy = (algorithm: string): Digest =>
  parseDigest(`${algorithm}:${createHash(algorithm).update(BYTES).digest('hex')}`)
const manifest: Blob = blobOf(BYTES, OCI_INDEX, digestBy('sha512'))
const { digest } = manifest.descriptor

test('a manifest known by sha512 is pushed, tagged by that name, and read', async () => {
  await using registry = await startSpecRegistry()
  await using client = clientOf(registry)
  const target = client.open('team/app')
  expect(await target.push(manifest)).toMatchObject({ how: 'uploaded' })
  await target.tag(manifest, ['v1'])
  expect(registry.tags('team/app').get('v1')).toBe(digest)
  const source = client.open('team/app', 'source')
  expect(await source.resolve('v1')).toEqual(manifest.descriptor)
  expect(await source.resolve(digest)).toEqual(manifest.descriptor)
})

test('its tag holds the same bytes where the registry tags by sha256 only, and is not moved again', async () => {
  const options: SpecRegistryOptions = { multiTag: false }
  await using registry = await startSpecRegistry(options)
  await using client = clientOf(registry)
  const target = client.open('team/app')
  await target.push(manifest)
  await target.tag(manifest, ['v1'])
  expect(registry.tags('team/app').get('v1')).toBe(digestBy('sha256'))
  const mark = registry.requests.length
  await target.tag(manifest, ['v1'])
  expect(registry.requests.slice(mark).map(({ method }) => method)).toEqual(['HEAD'])
})

test('a registry that keeps it by sha256 only is told of: nobody would find it by its name', async () => {
  await using registry = await startSpecRegistry()
  await using client = clientOf(registry)
  const headers = { 'docker-content-digest': digestBy('sha256') }
  registry.fail({ method: 'PUT', path: '/manifests/' }, { status: 201, headers })
  await expect(client.open('team/app').push(manifest)).rejects.toMatchObject({
    code: 'DIGEST_UNSUPPORTED',
    message: `${registry.host}/team/app took ${digest}, but keeps it as ${digestBy('sha256')} only`,
    hint: expect.stringContaining('no sha512') as string,
  })
})

test('another digest of other bytes is not taken for one of another kind', async () => {
  await using registry = await startSpecRegistry()
  await using client = clientOf(registry)
  const headers = { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }
  registry.fail({ method: 'PUT', path: '/manifests/' }, { status: 201, headers })
  await expect(client.open('team/app').push(manifest)).rejects.toMatchObject({ name: 'IntegrityError' })
})

test('a blob known by sha512 is announced as such before its bytes, and one known by sha256 as nothing', async () => {
  await using registry = await startSpecRegistry()
  await using client = clientOf(registry)
  const target = client.open('team/app')
  const blob = blobOf(BYTES, 'application/x', digestBy('sha512'))
  expect(await target.push(blob)).toMatchObject({ how: 'uploaded' })
  await target.push(blobOf(BYTES, 'application/x', digestBy('sha256')))
  expect(await target.has(blob.descriptor)).toBe(true)
  const posts = registry.requests.filter(({ method }) => method === 'POST').map(({ target }) => target)
  expect(posts).toEqual(['/v2/team/app/blobs/uploads/?digest-algorithm=sha512', '/v2/team/app/blobs/uploads/'])
})
