import { bytesBlob } from '../../src/content/blob.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { givenCredentials } from '../../src/registry/credentials/inputs.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository } from '../../src/registry/registry.ts'
import type { UploadMode } from '../../src/registry/upload/pieces.ts'
import { scripted, type Server } from './scripted.ts'

const bytes = new Uint8Array(12 << 20)
const layer = bytesBlob({ bytes, descriptor: { mediaType: 'x/y', digest: digestOf(bytes), size: bytes.byteLength } })

const server: Server = ({ method, headers }) => {
  if (method === 'HEAD') return { status: 404 }
  const [, last = ''] = /-(\d+)$/.exec(headers['content-range'] ?? '') ?? []
  const location = { location: '/v2/team/app/blobs/uploads/1', ...(last !== '' && { range: `0-${last}` }) }
  return { status: method === 'PUT' ? 201 : 202, headers: location }
}

async function methodsOf(upload: UploadMode | undefined, host: string): Promise<string> {
  const transport = scripted(server)
  const credentials = givenCredentials([{ registry: host, username: 'u', password: 'p', from: 'inputs' }])
  const deps = { hosts: new RegistryHosts({ transport, credentials }), side: 'target', upload } as const
  await openRepository({ host, repository: 'team/app' }, deps).push(layer)
  return transport.seen.map(({ method }) => method).join(' ')
}

test.each<[string, UploadMode | undefined, host: string, methods: string]>([
  ['a layer goes in one request by default', undefined, 'reg.example.com', 'HEAD POST PUT'],
  ['a layer goes in pieces where that is asked for', 'chunked', 'reg.example.com', 'HEAD POST PATCH PATCH PATCH PUT'],
  ['a registry that cuts uploads in pieces short gets none', 'chunked', '1-docker.pkg.dev', 'HEAD POST PUT'],
])('%s', async (_name, upload, host, methods) => {
  expect(await methodsOf(upload, host)).toBe(methods)
})

test('a layer that is refused as too large stays in one request where that is asked for', async () => {
  const transport = scripted(request => (request.method === 'PUT' ? { status: 413 } : server(request)))
  const credentials = givenCredentials([{ registry: 'reg.example.com', username: 'u', password: 'p', from: 'inputs' }])
  const deps = { hosts: new RegistryHosts({ transport, credentials }), side: 'target', upload: 'monolithic' } as const
  const { push } = { push: () => openRepository({ host: 'reg.example.com', repository: 'team/app' }, deps).push(layer) }
  await expect(push()).rejects.toMatchObject({ status: 413 })
  expect(transport.seen.map(({ method }) => method)).not.toContain('PATCH')
})
