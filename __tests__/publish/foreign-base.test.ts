import { createHash } from 'node:crypto'
import { startSpecRegistry } from '../../conformance/server/registry.ts'
import { document, onBase, pushOs } from './project.ts'
import { openWorkshop } from './workshop.ts'

const FOREIGN = {
  mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  digest: `sha256:${createHash('sha256').update('Windows').digest('hex')}`,
  size: 7,
  urls: ['https://example.com/layer'],
}
const INDEX = 'application/vnd.oci.image.index.v1+json'

interface Manifest {
  readonly mediaType: string
  readonly layers: readonly object[]
}

test('a base with a layer that only its publisher serves, and its registry has not, is published on', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  await pushOs(registry)
  const put = async (name: string, mediaType: string, content: object): Promise<string> => {
    const body = JSON.stringify(content)
    const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`
    const to = new URL(`/v2/base/os/manifests/${name === '' ? digest : name}`, registry.url)
    const answer = await fetch(to, { method: 'PUT', body, headers: { 'content-type': mediaType } })
    expect(answer.status).toBe(201)
    return digest
  }
  const { manifests } = document(registry, '1', 'base/os')
  const foreign = await Promise.all(
    manifests.map(async one => {
      const text = registry.manifest('base/os', one.digest)?.bytes.toString() ?? ''
      const manifest = JSON.parse(text) as Manifest
      const [first, ...layers] = manifest.layers
      const changed = { ...manifest, layers: [FOREIGN, ...layers] }
      expect(first).toBeDefined()
      const digest = await put('', manifest.mediaType, changed)
      return { ...one, digest, size: JSON.stringify(changed).length }
    }),
  )
  await put('1', INDEX, { schemaVersion: 2, mediaType: INDEX, manifests: foreign })

  const { report } = await workshop.publish(onBase(registry, undefined, { layers: [] }))

  expect(registry.tags('team/app')).toEqual(new Map([['v1', report.digest]]))
  for (const { digest } of document(registry, 'v1').manifests) {
    expect(document(registry, digest).layers[0]).toEqual(FOREIGN)
  }
  expect(registry.openUploads).toBe(0)
})
