import { run, temporaryDirectory } from '../support/peers.ts'
import type { SpecRegistryOptions } from '../../conformance/server/registry.ts'
import { startSpecRegistry } from '../../conformance/server/registry.ts'

const USER = { username: 'robot', password: 'secret' }

// The specification's own program. It judges registries, so it judges the one that our client is tested with.
test.each<readonly [string, SpecRegistryOptions]>([
  ['as it is', {}],
  ['with absolute locations and a password', { location: 'absolute', auth: { scheme: 'basic', ...USER } }],
  [
    'with tokens, mounting and single POST off',
    { mount: false, singlePost: false, auth: { scheme: 'bearer', ...USER } },
  ],
])(
  'what the client is tested against is no fiction: the registry of the tests conforms, %s',
  async (_name, options) => {
    await using work = await temporaryDirectory()
    await using registry = await startSpecRegistry({ ...options, directory: work.path })
    const report = await run('conformance', [], {
      cwd: work.path,
      env: {
        OCI_REGISTRY: registry.host,
        OCI_TLS: 'disabled',
        OCI_VERSION: 'dev',
        ...(options.auth && { OCI_USERNAME: USER.username, OCI_PASSWORD: USER.password }),
      },
    })
    expect(report).toMatch(/FAIL[.]+: +0\n/)
    expect(report).toMatch(/Pass[.]+: +9\d\d\n/)
  },
)
