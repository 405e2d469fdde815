import { createTransport } from '../../src/http/client.ts'
import { credentialChain } from '../../src/registry/credentials/chain.ts'
import { authFiles } from '../../src/registry/credentials/docker-config.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository, type RegistryRepository } from '../../src/registry/registry.ts'
import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'
import { USER, blobOf, clientOf } from './client.ts'

const blob = blobOf(new TextEncoder().encode('layer'))

/** A repository for somebody who has logged in nowhere. */
function nobody({ host }: SpecRegistry, side: 'source' | 'target'): RegistryRepository & AsyncDisposable {
  const transport = createTransport({ version: '0' })
  const env = { HOME: '/nonexistent', DOCKER_CONFIG: '/nonexistent/docker' }
  const exec = (): never => {
    throw new Error('no helper is wanted')
  }
  const credentials = credentialChain([authFiles({ env, exec, uid: 12 })])
  const hosts = new RegistryHosts({ transport, credentials })
  const repository = openRepository({ host, repository: 'team/app' }, { hosts, side })
  return Object.assign(repository, { [Symbol.asyncDispose]: () => transport.close() })
}

describe.each(['basic', 'bearer'] as const)('a registry with %s that lets anybody read', scheme => {
  const options = { auth: { scheme, ...USER, anonymousPull: true } } as const

  test('is read without credentials', async () => {
    await using registry = await startSpecRegistry(options)
    await using client = clientOf(registry)
    await client.open('team/app').push(blob)
    await using source = nobody(registry, 'source')
    expect(await source.has(blob.descriptor)).toBe(true)
  })

  test('takes no push without credentials, and the error names every place where some were looked for', async () => {
    await using registry = await startSpecRegistry(options)
    await using target = nobody(registry, 'target')
    await expect(target.push(blob)).rejects.toMatchObject({
      name: 'AuthError',
      code: 'UNAUTHORIZED',
      message: expect.stringMatching(
        /^no credentials for .*; looked at: docker config \/nonexistent\/docker\/config[.]json \(not there\), podman auth file /,
      ) as string,
      hint: expect.stringContaining(`docker login ${registry.host}`) as string,
    })
    expect(registry.openUploads).toBe(0)
  })
})
