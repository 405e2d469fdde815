import { OCI_INDEX } from '../../src/oci/media-type.ts'
import { startSpecRegistry } from '../../conformance/server/registry.ts'
import { USER, blobOf, clientOf, documentOf } from './client.ts'

const blob = blobOf(new TextEncoder().encode('layer'))
const manifest = documentOf(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] })
const { digest } = manifest.descriptor

test('a tag goes and its manifest stays, a manifest goes with its tags, a blob by itself', async () => {
  await using registry = await startSpecRegistry({ auth: { scheme: 'bearer', ...USER } })
  await using client = clientOf(registry)
  const target = client.open('team/app')
  await target.push(blob)
  await target.push(manifest)
  await target.tag(manifest, ['v1', 'v2'])

  expect(await target.delete('v1')).toBe(true)
  expect([...registry.tags('team/app').keys()]).toEqual(['v2'])
  expect(await target.delete(digest)).toBe(true)
  expect([...registry.tags('team/app').keys()]).toEqual([])
  expect(await target.deleteBlob(blob.descriptor.digest)).toBe(true)
  expect(await registry.blob('team/app', blob.descriptor.digest)).toBeUndefined()
})

test('what is gone is no error, and is known not to be there', async () => {
  await using registry = await startSpecRegistry()
  await using client = clientOf(registry)
  const target = client.open('team/app')
  await target.push(blob)
  await target.push(manifest)
  expect(await target.delete(digest)).toBe(true)
  expect(await target.delete(digest)).toBe(false)
  await target.deleteBlob(blob.descriptor.digest)
  expect(await target.has(blob.descriptor)).toBe(false)
  expect(await target.push(blob)).toMatchObject({ how: 'uploaded' })
  expect(await target.push(manifest)).toMatchObject({ how: 'uploaded' })
})

test.each([
  ['deletes nothing', digest, { status: 405, body: '{"errors":[{"code":"UNSUPPORTED"}]}' }],
  ['reads a tag as a broken digest', 'v1', { status: 400, body: '{"errors":[{"code":"DIGEST_INVALID"}]}' }],
])('of a registry that %s the user is told so, and that nothing is gone', async (_name, name, fault) => {
  await using registry = await startSpecRegistry()
  await using client = clientOf(registry)
  registry.fail({ method: 'DELETE', times: 2 }, fault) // a 400 might be that of a server that wants TLS
  await expect(client.open('team/app').delete(name)).rejects.toMatchObject({
    code: 'DELETE_UNSUPPORTED',
    message: `${registry.host} does not delete through the Distribution API: ${name === 'v1' ? 'tag' : 'manifest'} ${name} of team/app is still there`,
    hint: 'use its own tools, or enable deletion in its configuration',
  })
})

test('where nothing is ever deleted, nothing is asked, and what to use is said', async () => {
  await using registry = await startSpecRegistry()
  await using client = clientOf(registry, { profile: 'ecr' })
  await expect(client.open('team/app').delete(digest)).rejects.toMatchObject({ hint: 'use aws ecr batch-delete-image' })
  expect(registry.requests).toEqual([])
})

test('a right that is missing is not mistaken for a registry that cannot', async () => {
  await using registry = await startSpecRegistry({
    auth: { scheme: 'bearer', ...USER, grants: () => ['pull', 'push'] },
  })
  await using client = clientOf(registry)
  await expect(client.open('team/app').delete(digest)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
})
