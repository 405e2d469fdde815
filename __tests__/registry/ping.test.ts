import type { RegistryHost } from '../../src/registry/host.ts'
import { ping } from '../../src/registry/ping.ts'
import { startSpecRegistry, type SpecRegistryOptions } from '../../conformance/server/registry.ts'
import { USER, clientOf } from './client.ts'

const user = (password: string): SpecRegistryOptions => ({ auth: { scheme: 'basic', ...USER, password } })

test.each<[string, SpecRegistryOptions]>([
  ['asks for nothing', {}],
  ['asks for a password', user(USER.password)],
  ['asks for a token', { auth: { scheme: 'bearer', ...USER } }],
])('a registry that %s is there', async (_name, options) => {
  await using registry = await startSpecRegistry(options)
  await using client = clientOf(registry)
  await expect(ping(client.hosts.get(registry.host), { side: 'target' })).resolves.toBeUndefined()
})

test('a password that is wrong is found out before anything is built', async () => {
  await using registry = await startSpecRegistry(user('another'))
  await using client = clientOf(registry)
  await expect(ping(client.hosts.get(registry.host), { side: 'target' })).rejects.toMatchObject({
    name: 'AuthError',
    message: expect.stringContaining('refused the credentials of inputs') as string,
  })
})

test.each([
  ['nothing of the kind', { status: 404, body: 'no such page' }, /could not find a registry: 404 no such page/],
  [
    'a page for people',
    { status: 200, headers: { 'content-type': 'text/html' }, body: '<html><title>Welcome</title></html>' },
    /could not find a registry: 200 .*Welcome/,
  ],
])('a server with %s is no registry', async (_name, fault, message) => {
  await using registry = await startSpecRegistry()
  await using client = clientOf(registry)
  registry.fail({}, fault)
  const host: RegistryHost = client.hosts.get(registry.host)
  await expect(ping(host, { side: 'source' })).rejects.toThrow(message)
})
