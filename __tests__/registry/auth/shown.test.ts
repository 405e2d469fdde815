import { AuthError, RegistryError } from '../../../src/errors.ts'
import { Authorizer, type Shown, type Want } from '../../../src/registry/auth/authorizer.ts'
import type { Credential, CredentialSource, FoundCredential } from '../../../src/registry/credentials/credential.ts'
import { scripted, type Said, type ScriptedTransport, type Seen, type Server } from '../scripted.ts'

const HOST = 'reg.example.com'
const BASE = new URL(`https://${HOST}/`)
const REALM = 'https://auth.example.com/token'
const PULL = 'repository:team/app:pull'
const PUSH = 'repository:team/app:pull,push'
const target: Want = { side: 'target', repository: 'team/app', scopes: [PUSH] }
const source: Want = { side: 'source', repository: 'team/app', scopes: [PULL] }

const password = { kind: 'password', username: 'user', password: 'secret' } as const
const given: Credential = { kind: 'bearer', token: 'given' }
const basic = (name: string): string => `Basic ${Buffer.from(`user:${name}`).toString('base64')}`

const bearer = (scope = PUSH, realm = REALM): string => `Bearer realm="${realm}",service="reg",scope="${scope}"`
const token = (value: string): Said => ({ status: 200, body: JSON.stringify({ token: value, expires_in: 300 }) })

interface Desk {
  readonly authorizer: Authorizer
  /** Where tokens are asked for. */
  readonly transport: ScriptedTransport
  readonly secrets: readonly string[]
  nowMs: number
  /** Has the registry refuse a request with a challenge. */
  readonly refuse: (want: Want, shown: Shown, challenge: string) => Promise<boolean>
}

function desk(server: Server, credential: Credential | undefined, more: Partial<FoundCredential> = {}): Desk {
  const find = (): Promise<FoundCredential> =>
    Promise.resolve({ credential, from: credential && 'the test', lookedAt: ['the test'], ...more })
  return deskWith(server, { find })
}

function deskWith(server: Server, credentials: CredentialSource): Desk {
  const transport = scripted(server)
  const secrets: string[] = []
  const onSecret = (secret: string): void => void secrets.push(secret)
  const authorizer = new Authorizer({ host: HOST, transport, credentials, onSecret, now: () => self.nowMs })
  const refuse = async (want: Want, shown: Shown, challenge: string): Promise<boolean> => {
    const said = { status: 401, headers: { 'www-authenticate': challenge } }
    const response = await scripted(() => said).request({ method: 'HEAD', url: BASE })
    return authorizer.learn(want, shown, response, BASE)
  }
  const self: Desk = { authorizer, transport, secrets, nowMs: 0, refuse }
  return self
}

/** What is shown after the registry has said what it wants. */
async function challenged(one: Desk, want: Want, challenge: string): Promise<Shown> {
  await one.refuse(want, await one.authorizer.show(want), challenge)
  return one.authorizer.show(want)
}

const scopesOf = ({ url }: Seen): readonly string[] => new URL(url).searchParams.getAll('scope')
const asked = ({ transport }: Desk): readonly (readonly string[])[] => transport.seen.map(scopesOf)

describe('what is shown', () => {
  test('is nothing before the registry asks for something', async () => {
    const one = desk(() => token('x'), password)
    const shown = await one.authorizer.show(target)
    expect(shown).toEqual({ header: undefined, demand: undefined, scopes: [PUSH], fresh: false })
  })

  test('is the password, and which one it was, where the registry asks for Basic', async () => {
    const shown = await challenged(
      desk(() => token('x'), password),
      target,
      'Basic realm="x"',
    )
    expect(shown).toMatchObject({ header: basic('secret'), credential: password, scopes: [PUSH], fresh: true })
  })

  test.each([
    ['there is none', undefined],
    ['there is only a token', given],
  ])('is nothing where the registry asks for Basic and %s', async (_, credential) => {
    const one = desk(() => token('x'), credential)
    expect(await one.refuse(target, await one.authorizer.show(target), 'Basic realm="x"')).toBe(false)
    expect(await one.authorizer.show(target)).toMatchObject({ header: undefined, credential: undefined })
  })

  test('is a token that the user has, masked, and refused for good when it is refused', async () => {
    const one = desk(() => token('x'), given)
    const shown = await challenged(one, target, bearer())
    expect(shown).toMatchObject({ header: 'Bearer given', scopes: [PUSH], fresh: true })
    expect(one.secrets).toEqual(['given'])
    expect(await one.refuse(target, shown, bearer())).toBe(false)
    expect(one.transport.seen).toEqual([])
  })

  test.each([
    ['realm', bearer(), bearer(PUSH, 'https://other.example.com/token')],
    ['service', bearer(), bearer().replace('service="reg"', 'service="other"')],
    [
      'realm and service that only look alike when written one after the other',
      'Bearer realm="https://auth.example.com/tok",service="en"',
      'Bearer realm="https://auth.example.com/token"',
    ],
  ])('is not a token of another %s', async (_, first, second) => {
    const one = desk(() => token(`t${one.transport.seen.length}`), password)
    const nothing: Shown = { header: undefined, demand: undefined, scopes: [PUSH], fresh: false }
    const headers = []
    for (const challenge of [first, second, first]) {
      await one.refuse(target, nothing, challenge)
      headers.push((await one.authorizer.show(target)).header)
    }
    expect(headers).toEqual(['Bearer t1', 'Bearer t2', 'Bearer t1'])
  })

  test('is nothing where the service gives an empty token', async () => {
    const shown = await challenged(
      desk(() => ({ status: 200, body: '{}' }), password),
      target,
      bearer(),
    )
    expect(shown).toMatchObject({ header: undefined, fresh: true })
  })

  test('is not made for each request: the second one knows that the token is old', async () => {
    const one = desk(() => token('x'), password)
    expect(await challenged(one, target, bearer())).toMatchObject({ header: 'Bearer x', fresh: true })
    expect(await one.authorizer.show(target)).toMatchObject({ header: 'Bearer x', fresh: false })
  })
})

describe('a refused token', () => {
  test('is asked for again where it was old, and not where it was new', async () => {
    const one = desk(() => token(`token-${one.transport.seen.length}`), password)
    const fresh = await challenged(one, target, bearer())
    const old = await one.authorizer.show(target)
    expect(await one.refuse(target, old, bearer())).toBe(true)
    const next = await one.authorizer.show(target)
    expect([fresh.header, old.header, next.header]).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2'])
    expect(await one.refuse(target, next, bearer())).toBe(false)
  })

  test('that is new is asked for with what the registry says is missing, now and for all that want the same', async () => {
    const one = desk(() => token('x'), password)
    const shown = await challenged(one, source, bearer(PULL))
    expect(await one.refuse(source, shown, bearer(`${PULL} registry:catalog:*`))).toBe(true)
    await one.authorizer.show(source)
    await one.authorizer.show({ ...source, scopes: [PULL] })
    expect(asked(one)).toEqual([[PULL], ['registry:catalog:*', PULL]])
    await one.authorizer.show(target)
    expect(asked(one).at(-1)).toEqual([PUSH])
  })

  test('without a challenge that can be met is not tried again', async () => {
    const one = desk(() => token('x'), password)
    const shown = await challenged(one, target, bearer())
    expect(await one.refuse(target, shown, 'Negotiate')).toBe(false)
  })
})

describe('a password of Basic', () => {
  test('that is refused gives way to another one, once', async () => {
    let secret = 'old'
    const forgotten: string[] = []
    const one = deskWith(() => token('x'), {
      find: () =>
        Promise.resolve({ credential: { ...password, password: secret }, from: 'the test', lookedAt: ['the test'] }),
      forget: host => {
        forgotten.push(host)
        secret = 'new'
      },
    })
    const shown = await challenged(one, target, 'Basic realm="x"')
    expect(await one.refuse(target, shown, 'Basic realm="x"')).toBe(true)
    const next = await one.authorizer.show(target)
    expect([shown.header, next.header]).toEqual([basic('old'), basic('new')])
    expect(await one.refuse(target, next, 'Basic realm="x"')).toBe(false)
    expect(forgotten).toEqual([HOST])
  })
})

describe('the source of a mount', () => {
  const EXTRA = 'repository:base/os:pull'
  const mount: Want = { ...target, extra: [EXTRA] }

  test('that is none costs no second request where the service refuses', async () => {
    const one = desk(() => ({ status: 401, body: '{}' }), password)
    await expect(challenged(one, target, bearer())).rejects.toThrow(AuthError)
    expect(asked(one)).toEqual([[PUSH]])
  })

  test('is not given up because the token service is down', async () => {
    let status = 503
    const one = desk(() => (status === 200 ? token('x') : { status, gaveUp: '3 attempts' }), password)
    await expect(challenged(one, mount, bearer())).rejects.toThrow('503')
    expect(asked(one)).toEqual([[PUSH, EXTRA]])
    status = 200
    await one.authorizer.show(mount)
    expect(asked(one).at(-1)).toEqual([PUSH, EXTRA])
  })

  test('is not asked for again once it was refused, by the target of another push either', async () => {
    const one = desk(request => (scopesOf(request).includes(EXTRA) ? { status: 403 } : token('x')), password)
    await challenged(one, mount, bearer())
    const more = 'repository:base/two:pull'
    await one.authorizer.show({ ...mount, scopes: [PULL], extra: [EXTRA, more] })
    expect(asked(one)).toEqual([[PUSH, EXTRA], [PUSH], [PULL, more]])
  })

  test('does not outlive the run: an abort is an abort', async () => {
    const controller = new AbortController()
    const one = desk(() => {
      controller.abort(new Error('stop'))
      return { status: 403 }
    }, password)
    await one.refuse(mount, await one.authorizer.show(mount), bearer())
    await expect(one.authorizer.show(mount, { signal: controller.signal })).rejects.toThrow('stop')
    expect(asked(one)).toEqual([[PUSH, EXTRA]])
  })
})

describe('credentials that the user did not choose for the registry', () => {
  const publicOnly: Server = ({ headers }) =>
    headers['authorization'] === undefined ? token('public') : { status: 401, body: '{}' }

  test('are left out of a read that they were refused for, from then on', async () => {
    const one = desk(publicOnly, password, { implied: true })
    expect((await challenged(one, source, bearer(PULL))).header).toBe('Bearer public')
    await one.authorizer.show({ ...source, scopes: ['repository:team/app:pull,delete'] })
    const shown = one.transport.seen.map(({ headers }) => headers['authorization'])
    expect(shown).toEqual([basic('secret'), undefined, undefined])
    expect(one.transport.unread()).toBe(0)
  })

  test('are shown for another repository all the same, and for a push', async () => {
    const one = desk(publicOnly, password, { implied: true })
    await challenged(one, source, bearer(PULL))
    await one.authorizer.show({ ...source, repository: 'team/other', scopes: ['repository:team/other:pull'] })
    expect(one.transport.seen.at(2)?.headers['authorization']).toBe(basic('secret'))
    await expect(one.authorizer.show({ ...target, scopes: [PULL] })).rejects.toThrow('refused the credentials')
  })

  test('are not dropped where the user chose them', async () => {
    await expect(challenged(desk(publicOnly, password), source, bearer(PULL))).rejects.toThrow(
      'refused the credentials',
    )
  })

  test('are not blamed where a read is refused without them as well', async () => {
    const one = desk(() => ({ status: 401, body: '{}' }), password, { implied: true })
    await expect(challenged(one, source, bearer(PULL))).rejects.toThrow('no credentials for reg.example.com')
    expect(one.transport.seen).toHaveLength(2)
  })

  test('that are none are asked for once', async () => {
    const one = desk(() => ({ status: 401, body: '{}' }), undefined, { implied: true })
    await expect(challenged(one, source, bearer(PULL))).rejects.toThrow('no credentials for reg.example.com')
    expect(one.transport.seen).toHaveLength(1)
  })
})

describe('a password that the token service refuses', () => {
  function renewing(server: Server, next: Credential | undefined = { ...password, password: 'new' }): Desk {
    let credential: Credential | undefined = { ...password, password: 'old' }
    return deskWith(server, {
      find: () => Promise.resolve({ credential, from: 'the test', lookedAt: ['the test'] }),
      forget: () => {
        credential = next
      },
    })
  }

  test('gives way to another one, and the connection is given back', async () => {
    const one = renewing(({ headers }) => (headers['authorization'] === basic('new') ? token('x') : { status: 401 }))
    expect((await challenged(one, target, bearer())).header).toBe('Bearer x')
    expect(one.transport.seen.map(({ headers }) => headers['authorization'])).toEqual([basic('old'), basic('new')])
    expect(one.transport.unread()).toBe(0)
  })

  test('is not looked for again where the service refuses the scope, not the password', async () => {
    const one = renewing(() => ({ status: 403, body: '{}' }))
    await expect(challenged(one, target, bearer())).rejects.toThrow('403')
    expect(one.transport.seen).toHaveLength(1)
  })

  test('is told with whose it was when there is no other', async () => {
    const one = renewing(() => ({ status: 401, body: '{}' }), { ...password, password: 'old' })
    await expect(challenged(one, target, bearer())).rejects.toThrow('refused the credentials of the test')
    expect(one.transport.seen).toHaveLength(1)
  })
})

describe('a token service that has trouble', () => {
  test.each([503, 500, 429])('answers %i: that is no matter of credentials', async status => {
    const trouble = challenged(
      desk(() => ({ status, body: '{}' }), password),
      target,
      bearer(),
    )
    await expect(trouble).rejects.toThrow(RegistryError)
    await expect(trouble).rejects.toMatchObject({ status, retriable: true, method: 'GET', repository: 'team/app' })
  })

  test('answers 404: the user is told to look at credentials and at the service', async () => {
    const trouble = challenged(
      desk(() => ({ status: 404, body: '{}' }), password),
      target,
      bearer(),
    )
    await expect(trouble).rejects.toThrow(AuthError)
    await expect(trouble).rejects.toMatchObject({ host: HOST, cause: { status: 404 } })
  })

  test('does not answer: what could not be reached is named', async () => {
    const trouble = challenged(
      desk(() => ({ code: 'ECONNREFUSED' }), password),
      target,
      bearer(),
    )
    await expect(trouble).rejects.toMatchObject({ name: 'RegistryError', status: 0, operation: 'get a token' })
    await expect(trouble).rejects.toMatchObject({ host: HOST, side: 'target', retriable: true })
  })
})

describe('the realm of a token service', () => {
  test('that cannot be read is told by its beginning, and nothing is sent', async () => {
    const one = desk(() => token('x'), password)
    const long = `https://${' '.repeat(10)}${'x'.repeat(200)}`
    const refused = challenged(one, target, bearer(PUSH, long))
    await expect(refused).rejects.toThrow(
      `wants credentials sent to ${long.slice(0, 100)}, which is refused: it is not`,
    )
    await expect(refused).rejects.toMatchObject({
      host: HOST,
      hint: expect.stringContaining('nothing was sent') as string,
    })
    expect(one.transport.seen).toEqual([])
  })

  test('is told without the password in it', async () => {
    const refused = challenged(
      desk(() => token('x'), password),
      target,
      bearer(PUSH, 'https://a:hidden@auth.example.com/'),
    )
    await expect(refused).rejects.toThrow(/^reg\.example\.com wants credentials sent to (?!.*hidden)/)
  })
})

test('looking for credentials can be aborted', async () => {
  const signals: unknown[] = []
  const { signal } = new AbortController()
  const one = deskWith(() => token('x'), {
    find: (_host, _repository, options) => {
      signals.push(options?.signal)
      return Promise.resolve({ credential: password, from: 'the test', lookedAt: [] })
    },
  })
  await one.authorizer.credential('team/app', { signal })
  expect(signals).toEqual([signal])
})

test('a token of half an hour is renewed shortly before its end, by our clock', async () => {
  const one = desk(
    () => ({ status: 200, body: JSON.stringify({ token: `t${one.transport.seen.length}`, expires_in: 1800 }) }),
    password,
  )
  const headers = [(await challenged(one, target, bearer())).header]
  for (const nowMs of [1_789_000, 1_790_000, 1_790_001]) {
    one.nowMs = nowMs
    headers.push((await one.authorizer.show(target)).header)
  }
  expect(headers).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t1', 'Bearer t2'])
})
