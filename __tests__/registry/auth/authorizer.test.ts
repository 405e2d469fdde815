import type { AuthError } from '../../../src/errors.ts'
import type { Want } from '../../../src/registry/auth/authorizer.ts'
import type { Credential, CredentialSource } from '../../../src/registry/credentials/credential.ts'
import { RegistryHost } from '../../../src/registry/host.ts'
import { scripted, type Said, type ScriptedTransport, type Seen, type Server } from '../scripted.ts'

const REALM = 'https://auth.example.com/token'
const PUSH = 'repository:team/app:pull,push'
const target: Want = { side: 'target', repository: 'team/app', scopes: [PUSH] }
const source: Want = { side: 'source', repository: 'team/app', scopes: ['repository:team/app:pull'] }

const challenge = (scope = PUSH, realm = REALM): Said => ({
  status: 401,
  headers: { 'WWW-Authenticate': `Bearer realm="${realm}",service="reg",scope="${scope}"` },
})

const has = (credential: Credential | undefined, more = {}): CredentialSource => ({
  find: () => Promise.resolve({ credential, from: credential && 'the test', lookedAt: ['the test'], ...more }),
})

const password: Credential = { kind: 'password', username: 'user', password: 'secret' }
const BASIC = `Basic ${Buffer.from('user:secret').toString('base64')}`

function hostOf(transport: ScriptedTransport, credentials: CredentialSource, secrets: string[] = []): RegistryHost {
  return new RegistryHost('reg.example.com', { transport, credentials, onSecret: secret => secrets.push(secret) })
}

const send = (host: RegistryHost, want: Want = target): Promise<number> =>
  host.send({ method: 'HEAD', to: '/v2/team/app/blobs/x', operation: 'look', want }).then(({ status }) => status)

/** A registry that wants a token of a service that gives `token-1`, `token-2`, … */
function tokenServer({
  accept = /^Bearer token-/,
  token,
}: { accept?: RegExp; token?: (asked: Seen, n: number) => Said } = {}): Server {
  let tokens = 0
  return request => {
    if (request.url.startsWith(REALM)) {
      tokens++
      return (
        token?.(request, tokens) ?? { status: 200, body: JSON.stringify({ token: `token-${tokens}`, expires_in: 300 }) }
      )
    }
    return accept.test(request.headers['authorization'] ?? '') ? { status: 200 } : challenge()
  }
}

const tokensOf = ({ seen }: ScriptedTransport): readonly Seen[] => seen.filter(({ url }) => url.startsWith(REALM))

test('a password is shown to nobody before it is asked for, and then to the token service only', async () => {
  const transport = scripted(tokenServer())
  const secrets: string[] = []
  expect(await send(hostOf(transport, has(password), secrets))).toBe(200)
  expect(transport.seen.map(({ headers }) => headers['authorization'])).toEqual([undefined, BASIC, 'Bearer token-1'])
  expect(tokensOf(transport)[0]?.url).toBe(`${REALM}?service=reg&scope=repository%3Ateam%2Fapp%3Apull%2Cpush`)
  expect(secrets).toEqual(['secret', BASIC.slice(6), 'token-1'])
})

test('many requests at once share one token', async () => {
  const transport = scripted(tokenServer())
  const host = hostOf(transport, has(password))
  await send(host)
  expect(await Promise.all([send(host), send(host), send(host)])).toEqual([200, 200, 200])
  expect(tokensOf(transport)).toHaveLength(1)
})

test('130 requests that start at once show one request without credentials and ask for one token', async () => {
  const transport = scripted(tokenServer())
  const host = hostOf(transport, has(password))
  const answers = await Promise.all(Array.from({ length: 130 }, () => send(host, source)))
  expect(new Set(answers)).toEqual(new Set([200]))
  expect(tokensOf(transport)).toHaveLength(1)
  const anonymous = transport.seen.filter(({ headers }) => headers['authorization'] === undefined)
  expect(anonymous).toHaveLength(1)
  expect(transport.seen).toHaveLength(132)
})

test('where anybody may read, 130 pushes at once ask what is needed once, too', async () => {
  const server = tokenServer()
  const transport = scripted(request =>
    request.method === 'GET' && !request.url.startsWith(REALM) ? { status: 200 } : server(request),
  )
  const host = hostOf(transport, has(password))
  expect((await host.send({ method: 'GET', to: '/v2/team/app/x', operation: 'read', want: source })).status).toBe(200)
  await Promise.all(Array.from({ length: 130 }, () => send(host, target)))
  expect(tokensOf(transport)).toHaveLength(1)
  expect(transport.seen.filter(({ headers }) => headers['authorization'] === undefined)).toHaveLength(2)
})

test('a registry that does not answer the first of many requests is asked by the others, none of which waits for ever', async () => {
  let asked = 0
  const transport = scripted(() => (asked++ === 0 ? { code: 'ECONNRESET' } : { status: 200 }))
  const host = hostOf(transport, has(password))
  const answers = await Promise.allSettled(Array.from({ length: 5 }, () => send(host)))
  expect(answers.map(({ status }) => status)).toEqual(['rejected', ...Array<string>(4).fill('fulfilled')])
})

test('a request that waits for the first one of many ends when it is told to', async () => {
  let answer = (): void => undefined
  const late = new Promise<void>(resolve => {
    answer = resolve
  })
  const transport = scripted(() => ({ status: 200 }))
  const slow = {
    ...transport,
    request: async (...asked: Parameters<typeof transport.request>) => late.then(() => transport.request(...asked)),
  }
  const host = hostOf(slow, has(password))
  const first = send(host)
  const stopped = new AbortController()
  const second = host.send({ method: 'HEAD', to: '/v2/', operation: 'look', want: target, signal: stopped.signal })
  stopped.abort(new Error('enough'))
  await expect(second).rejects.toThrow('enough')
  answer()
  expect(await first).toBe(200)
  expect(transport.seen).toHaveLength(1)
})

test('a request that is refused late, with the token before the last, does not throw the new one away', async () => {
  let valid = 'token-1'
  const server = tokenServer()
  const transport = scripted(request => {
    if (request.url.startsWith(REALM)) return server(request)
    return request.headers['authorization'] === `Bearer ${valid}` ? { status: 200 } : challenge()
  })
  let held: Promise<unknown> = Promise.resolve()
  const request = async (...asked: Parameters<typeof transport.request>): ReturnType<typeof transport.request> => {
    const answer = await transport.request(...asked)
    if (asked[0].url.pathname.endsWith('late') && answer.status === 401) await held
    return answer
  }
  const host = hostOf({ ...transport, request }, has(password))
  await send(host)
  valid = 'token-2'
  const late = host.send({ method: 'HEAD', to: '/v2/team/app/blobs/late', operation: 'look', want: target })
  held = send(host)
  expect([await held, (await late).status]).toEqual([200, 200])
  expect(tokensOf(transport)).toHaveLength(2)
})

test('a token that has run out in the middle of a run is renewed, not reported', async () => {
  let valid = 'token-1'
  const server = tokenServer()
  const transport = scripted(request => {
    if (request.url.startsWith(REALM)) return server(request)
    return request.headers['authorization'] === `Bearer ${valid}` ? { status: 200 } : challenge()
  })
  const host = hostOf(transport, has(password))
  expect(await send(host)).toBe(200)
  valid = 'token-2'
  expect(await send(host)).toBe(200)
  expect(tokensOf(transport)).toHaveLength(2)
})

test('a token is shown only for the scopes that it was asked for', async () => {
  const token = ({ url }: Seen): Said => {
    const scope = new URL(url).searchParams.getAll('scope').join(' ')
    return { status: 200, body: JSON.stringify({ token: `for ${scope}`, expires_in: 300 }) }
  }
  const transport = scripted(tokenServer({ accept: /^Bearer for/, token }))
  const host = hostOf(transport, has(password))
  await send(host)
  const DELETE = 'repository:team/app:delete'
  await send(host, { ...target, scopes: [DELETE] })
  expect(transport.seen.at(-1)?.headers['authorization']).toBe(`Bearer for ${DELETE}`)
  await send(host)
  expect(transport.seen.at(-1)?.headers['authorization']).toBe(`Bearer for ${PUSH}`)
  expect(tokensOf(transport)).toHaveLength(2)
})

test('a token that is refused although it is new is not asked for again and again', async () => {
  const transport = scripted(tokenServer({ accept: /never/ }))
  expect(await send(hostOf(transport, has(password)))).toBe(401)
  expect(tokensOf(transport)).toHaveLength(1)
})

test('a large body does not begin with a token that will not last', async () => {
  const transport = scripted(
    tokenServer({ token: (_, n) => ({ status: 200, body: `{"access_token":"token-${n}","expires_in":300}` }) }),
  )
  let now = 0
  const { Authorizer } = await import('../../../src/registry/auth/authorizer.ts')
  const authorizer = new Authorizer({
    host: 'reg.example.com',
    transport,
    credentials: has(password),
    onSecret: () => undefined,
    now: () => now,
  })
  const base = new URL('https://reg.example.com/')
  const first = await authorizer.show(target)
  await authorizer.learn(target, first, await scripted(() => challenge()).request({ method: 'HEAD', url: base }), base)
  const show = async (lastsMs = 0): Promise<string | undefined> =>
    (await authorizer.show({ ...target, lastsMs })).header
  expect(await show()).toBe('Bearer token-1')
  now = 200_000
  expect(await show()).toBe('Bearer token-1')
  expect(await show(120_000)).toBe('Bearer token-2')
  now += 140_000
  expect(await show(3_600_000)).toBe('Bearer token-2') // half of its life is all that can be had
  now += 155_000
  expect(await show()).toBe('Bearer token-3')
})

test('what the registry says is missing is asked for, once', async () => {
  const transport = scripted(request => {
    if (request.url.startsWith(REALM))
      return {
        status: 200,
        body: JSON.stringify({ token: new URL(request.url).searchParams.getAll('scope').join(' ') }),
      }
    const wanted = 'repository:team/app:delete'
    return request.headers['authorization']?.includes('delete')
      ? { status: 200 }
      : {
          ...challenge(wanted),
          status: request.headers['authorization'] ? 403 : 401,
          headers: { 'www-authenticate': `Bearer realm="${REALM}",scope="${wanted}",error="insufficient_scope"` },
        }
  })
  expect(await send(hostOf(transport, has(password)))).toBe(200)
  expect(transport.seen.at(-1)?.headers['authorization']).toBe('Bearer repository:team/app:pull,push,delete')
})

describe('the source of a mount', () => {
  const mount: Want = { ...target, extra: ['repository:base/os:pull'] }

  test('is asked for behind the scope of the push', async () => {
    const transport = scripted(tokenServer())
    expect(await send(hostOf(transport, has(password)), mount)).toBe(200)
    expect(new URL(tokensOf(transport)[0]?.url ?? '').searchParams.getAll('scope')).toEqual([
      PUSH,
      'repository:base/os:pull',
    ])
  })

  test('may be forbidden without the push being lost', async () => {
    const token = ({ url }: Seen): Said =>
      url.includes('base%2Fos') ? { status: 403, body: '{}' } : { status: 200, body: '{"token":"token-1"}' }
    const transport = scripted(tokenServer({ token }))
    const host = hostOf(transport, has(password))
    expect(await send(host, mount)).toBe(200)
    expect(await send(host, mount)).toBe(200)
    expect(tokensOf(transport)).toHaveLength(2)
  })
})

describe('Basic', () => {
  const wall: Server = ({ headers }) =>
    headers['authorization'] === BASIC
      ? { status: 200 }
      : { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }

  test('is shown to a registry that asks for it', async () => {
    const transport = scripted(wall)
    expect(await send(hostOf(transport, has(password)))).toBe(200)
    expect(transport.seen).toHaveLength(2)
  })

  test('is not tried again when it is wrong', async () => {
    const transport = scripted(wall)
    expect(await send(hostOf(transport, has({ ...password, password: 'wrong' })))).toBe(401)
    expect(transport.seen).toHaveLength(2)
  })

  test('is not tried without a password', async () => {
    const transport = scripted(wall)
    expect(await send(hostOf(transport, has(undefined)))).toBe(401)
    expect(transport.seen).toHaveLength(1)
  })
})

describe('identity tokens', () => {
  const identity: Credential = { kind: 'identity', token: 'refresh' }

  test('are exchanged by POST, out of reach of redirects', async () => {
    const transport = scripted(tokenServer())
    const secrets: string[] = []
    expect(await send(hostOf(transport, has(identity), secrets))).toBe(200)
    const [asked] = tokensOf(transport)
    expect(asked?.method).toBe('POST')
    expect(Object.fromEntries(new URLSearchParams(Buffer.from(asked?.body ?? []).toString()))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'refresh',
      client_id: 'oci-publish',
      service: 'reg',
      scope: PUSH,
    })
    expect(secrets).toContain('refresh')
  })

  test('serve as a password where the token service has no POST', async () => {
    const token = ({ method }: Seen): Said =>
      method === 'POST' ? { status: 404 } : { status: 200, body: '{"token":"token-1"}' }
    expect(await send(hostOf(scripted(tokenServer({ token })), has(identity)))).toBe(200)
  })
})

test('a token that somebody else obtained is shown as it is', async () => {
  const transport = scripted(tokenServer({ accept: /^Bearer given$/ }))
  expect(await send(hostOf(transport, has({ kind: 'bearer', token: 'given' })))).toBe(200)
  expect(tokensOf(transport)).toHaveLength(0)
})

describe('realms', () => {
  test.each([
    [
      'GHSA-28r5-37g7-p6mp: a password does not go over plain http because the registry says so',
      'http://auth.example.com/token',
      'https to plain http',
    ],
    [
      'GHSA-28r5-37g7-p6mp: a password does not go to the metadata service of a cloud',
      'https://169.254.169.254/token',
      'link-local',
    ],
    ['a password does not go to the network of the runner', 'https://10.0.0.1/token', 'private'],
    [
      'a realm with a password of its own is not followed',
      'https://a:b@auth.example.com/token',
      'credentials of its own',
    ],
    ['a realm that is no URL is not followed', 'https://', 'not a URL'],
  ])('%s', async (_name, realm, because) => {
    const transport = scripted(() => challenge(PUSH, realm))
    await expect(send(hostOf(transport, has(password)))).rejects.toThrow(because)
    expect(transport.seen.map(({ headers }) => headers['authorization'])).toEqual([undefined])
  })

  test.each([
    ['127.0.0.1:5000', []],
    ['reg.example.com', ['reg.example.com']],
  ])('the password for %s, reached without TLS, does not go to a public host without TLS', async (name, plainHttp) => {
    const transport = scripted(() => challenge(PUSH, 'http://collector.example/token'))
    const host = new RegistryHost(name, { transport, credentials: has(password), plainHttp })
    await expect(send(host)).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: `${name} wants credentials sent to http://collector.example/token, which is refused: it is plain http to a public host`,
      hint: expect.stringContaining('name collector.example in plain-http') as string,
    })
    expect(transport.seen.filter(({ url }) => url.includes('collector'))).toEqual([])
    expect(transport.seen.flatMap(({ headers }) => headers['authorization'] ?? [])).toEqual([])
  })

  test('a token service without TLS that the user named is asked', async () => {
    const transport = scripted(request => {
      if (new URL(request.url).host === 'auth:5001') return { status: 200, body: '{"token":"t"}' }
      return request.headers['authorization'] === 'Bearer t'
        ? { status: 200 }
        : challenge(PUSH, 'http://auth:5001/token')
    })
    const plainHttp = ['reg.example.com', 'auth:5001']
    expect(await send(new RegistryHost('reg.example.com', { transport, credentials: has(password), plainHttp }))).toBe(
      200,
    )
  })

  test('ever more scopes of a registry do not make ever longer requests', async () => {
    let asked = 0
    const transport = scripted(request => {
      if (request.url.startsWith(REALM)) return { status: 200, body: '{"token":"t"}' }
      const more = Array.from({ length: 10 }, (_one, i) => `repository:other/${++asked}-${i}:pull`).join(' ')
      return challenge(`${PUSH} ${more}`)
    })
    const host = hostOf(transport, has(password))
    for (let i = 0; i < 10; i++) await send(host)
    for (const { url } of tokensOf(transport)) expect(new URL(url).searchParams.getAll('scope').length).toBeLessThan(33)
  })

  test('a realm relative to the registry is understood', async () => {
    const transport = scripted(request => {
      if (new URL(request.url).pathname === '/token') return { status: 200, body: '{"token":"t"}' }
      return request.headers['authorization'] === 'Bearer t' ? { status: 200 } : challenge(PUSH, '/token')
    })
    expect(await send(hostOf(transport, has(password)))).toBe(200)
    expect(transport.seen[1]?.url).toMatch('https://reg.example.com/token?')
  })
})

describe('what a user is told', () => {
  const refuse = (): Said => ({ status: 401, body: '{"details":"incorrect username or password"}' })

  test('that the password is wrong, and whose it was', async () => {
    const transport = scripted(tokenServer({ token: refuse }))
    const error = await send(hostOf(transport, has(password))).catch((error: unknown) => error as AuthError)
    expect(error).toMatchObject({ name: 'AuthError', code: 'UNAUTHORIZED', host: 'reg.example.com' })
    expect((error as AuthError).message).toMatch(
      /refused the credentials of the test: .*401 incorrect username or password/,
    )
    expect((error as AuthError).message).not.toContain('secret')
  })

  test('where credentials were looked for when there are none, and what to add', async () => {
    const transport = scripted(tokenServer({ token: refuse }))
    const error = await send(hostOf(transport, has(undefined))).catch((error: unknown) => error as AuthError)
    expect(error).toMatchObject({
      message:
        'no credentials for reg.example.com, which wants some to get a token; looked at: the test (401 incorrect username or password)',
      hint: 'add "registry: reg.example.com", "username" and "password", or run "docker login reg.example.com" before',
    })
  })

  test('nothing, when credentials that nobody chose are refused for something public', async () => {
    const token = ({ headers }: Seen): Said =>
      headers['authorization'] === undefined ? { status: 200, body: '{"token":"token-1"}' } : refuse()
    const host = hostOf(scripted(tokenServer({ token })), has(password, { implied: true }))
    expect(await send(host, source)).toBe(200)
    // The push that follows to the same repository is not tried in nobody's name.
    await expect(send(host, target)).rejects.toThrow('refused the credentials')
  })
})
