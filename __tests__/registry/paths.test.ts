import { Endpoint } from '../../src/registry/endpoint.ts'
import { Access } from '../../src/registry/access.ts'
import { credentialChain } from '../../src/registry/credentials/chain.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository, type RegistryRepository } from '../../src/registry/registry.ts'
import { parseRepository } from '../../src/oci/repository.ts'
import { OCI_INDEX } from '../../src/oci/media-type.ts'
import { documentOf } from './client.ts'
import { scripted, type Said, type ScriptedTransport } from './scripted.ts'

const manifest = documentOf(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] })

function openOver(said: Said = { status: 200 }): {
  readonly transport: ScriptedTransport
  readonly hosts: RegistryHosts
  readonly repository: RegistryRepository
} {
  const transport = scripted(() => said)
  const hosts = new RegistryHosts({ transport, credentials: credentialChain([]) })
  const repository = openRepository({ host: 'reg.example.com', repository: 'team/app' }, { hosts, side: 'target' })
  return { transport, hosts, repository }
}

const LEADS_OUT = [
  '../../../v2/prod/app/manifests/latest',
  'x?tag=stable',
  'a#b',
  '%2e%2e/%2e%2e/x',
  '..\\..\\x',
  'a/b',
  '',
  'v1\n',
]

test.each(LEADS_OUT)('no request is made for a manifest named %j', async name => {
  const { transport, repository } = openOver()
  const refused = expect.objectContaining({ code: 'INVALID_TAG' }) as unknown
  await expect(repository.resolve(name)).rejects.toEqual(refused)
  await expect(repository.delete(name)).rejects.toEqual(refused)
  await expect(repository.tag(manifest, ['v1', name])).rejects.toEqual(refused)
  expect(transport.lines()).toEqual([])
})

test.each(['../prod', 'a/../../prod', 'a?b', 'a#b', 'a%2f', '', '/a', 'a//b'])(
  'no repository is opened under the name %j',
  repository => {
    const { hosts } = openOver()
    expect(() => openRepository({ host: 'reg.example.com', repository }, { hosts, side: 'target' })).toThrow(
      /is not a repository name|there is no repository/,
    )
  },
)

test.each([
  '/v2/team/app/../../prod/manifests/latest',
  '/v2/team/app/manifests/%2e%2e/x',
  '/v2/team/app/manifests/a#b',
  '/v2/team/app/manifests/a\\b',
  '/v2/team/app/manifests/a b',
  '//evil.example.com/v2/',
  'https://evil.example.com/v2/',
  'v2/',
])('a path that URL parsing would change is not asked for, whoever made it: %s', async to => {
  const transport = scripted(() => ({ status: 200 }))
  const endpoint = new Endpoint('reg.example.com', { transport, plainHttp: new Set() })
  await expect((async () => endpoint.send({ method: 'GET', to }))()).rejects.toMatchObject({ code: 'INVALID_PATH' })
  expect(transport.lines()).toEqual([])
})

test('a path of another repository is not asked for, whoever made it', async () => {
  const { transport, hosts } = openOver()
  const access = new Access(hosts.get('reg.example.com'), parseRepository('team/app'), 'target')
  for (const to of ['/v2/team/application/tags/list', '/v2/prod/manifests/v1', '/v2/team/app']) {
    const asked = access.ask({ method: 'GET', to, answers: [200], operation: 'look' })
    await expect(asked).rejects.toMatchObject({ code: 'INVALID_PATH' })
  }
  expect(transport.lines()).toEqual([])
})
