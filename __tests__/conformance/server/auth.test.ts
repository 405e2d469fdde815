import type { SpecRegistry } from '../../../conformance/server/registry.ts'
import { startSpecRegistry } from '../../../conformance/server/registry.ts'
import { ask, digestOf, startUpload } from './ask.ts'

const USER = { username: 'robot', password: 'secret' }
const BASIC = { authorization: `Basic ${Buffer.from('robot:secret').toString('base64')}` }

describe('authentication', () => {
  test('Basic: the password itself', async () => {
    await using registry = await startSpecRegistry({ auth: { scheme: 'basic', ...USER } })
    const refused = await ask(registry, '/v2/')
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="spec-registry"'])
    expect((await ask(registry, '/v2/', { headers: BASIC })).status).toBe(200)
    expect(registry.requests.map(({ authorization }) => authorization)).toEqual([undefined, 'Basic'])
  })

  async function tokenFor(registry: SpecRegistry, ...scopes: readonly string[]): Promise<Record<string, string>> {
    const query = new URLSearchParams(scopes.map((scope): [string, string] => ['scope', scope]))
    const response = await ask(registry, `/token?${query.toString()}`, { headers: BASIC })
    const { token } = (await response.json()) as { token: string }
    return { authorization: `Bearer ${token}` }
  }

  test('Bearer: a token for what the challenge names, until it expires', async () => {
    await using registry = await startSpecRegistry({ auth: { scheme: 'bearer', ...USER } })
    const path = '/v2/team/app/blobs/uploads/'
    const refused = await ask(registry, path, { method: 'POST' })
    expect(refused.headers.get('www-authenticate')).toBe(
      `Bearer realm="http://${registry.host}/token",service="${registry.host}",scope="repository:team/app:pull,push"`,
    )

    const reader = await tokenFor(registry, 'repository:team/app:pull')
    const narrow = await ask(registry, path, { method: 'POST', headers: reader })
    expect(narrow.headers.get('www-authenticate')).toContain('error="insufficient_scope"')

    const writer = await tokenFor(registry, 'repository:team/app:pull,push')
    await startUpload(registry, writer)
    registry.expireTokens()
    const late = await ask(registry, path, { method: 'POST', headers: writer })
    expect(late.headers.get('www-authenticate')).toContain('error="invalid_token"')
  })

  test('Bearer: a mount needs to pull from the other repository too', async () => {
    const grants = (repository: string): readonly ('pull' | 'push')[] =>
      repository === 'team/app' ? ['pull', 'push'] : []
    await using registry = await startSpecRegistry({ auth: { scheme: 'bearer', ...USER, grants } })
    const headers = await tokenFor(registry, 'repository:team/app:pull,push', 'repository:other/base:pull')
    const path = `/v2/team/app/blobs/uploads/?mount=${digestOf('layer')}&from=other/base`

    const refused = await ask(registry, path, { method: 'POST', headers })

    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toContain(
      'scope="repository:team/app:pull,push repository:other/base:pull"',
    )
  })

  test.each([
    ['Basic: without a password', 'basic'],
    ['Bearer: with a token for nobody', 'bearer'],
  ] as const)('%s, anybody reads where that is allowed, and nobody writes', async (_name, scheme) => {
    await using registry = await startSpecRegistry({ auth: { scheme, ...USER, anonymousPull: true } })
    const token = async (): Promise<Record<string, string>> => {
      const response = await ask(registry, '/token?scope=repository:team/app:pull,push')
      return { authorization: `Bearer ${((await response.json()) as { token: string }).token}` }
    }
    const headers = scheme === 'bearer' ? await token() : {}
    expect((await ask(registry, '/v2/team/app/manifests/v1', { headers })).status).toBe(404)
    expect((await ask(registry, '/v2/team/app/blobs/uploads/', { method: 'POST', headers })).status).toBe(401)
  })

  test('Bearer: a wrong password gets no token, by either way of asking', async () => {
    await using registry = await startSpecRegistry({ auth: { scheme: 'bearer', ...USER } })
    expect((await ask(registry, '/token?service=x')).status).toBe(401)
    const form = { grant_type: 'password', username: 'robot', password: 'wrong', access_type: 'offline' }
    const post = (body: Record<string, string>): Promise<Response> =>
      ask(registry, '/token', { method: 'POST', body: new URLSearchParams(body) })
    expect((await post(form)).status).toBe(401)
    const given = (await (await post({ ...form, password: 'secret' })).json()) as { refresh_token: string }
    expect((await post({ grant_type: 'refresh_token', refresh_token: given.refresh_token })).status).toBe(200)
  })
})
