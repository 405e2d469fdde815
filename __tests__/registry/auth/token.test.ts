import { createTransport } from '../../../src/http/client.ts'
import type { Transport } from '../../../src/http/transport.ts'
import { basic, isToken, requestToken, type TokenQuery } from '../../../src/registry/auth/token.ts'
import type { Credential } from '../../../src/registry/credentials/credential.ts'
import { startFaultServer, type FaultServer } from '../../support/fault-server.ts'

const identity: Credential = { kind: 'identity', token: 'refresh' }

let transport: Transport

beforeEach(() => {
  transport = createTransport({ version: '0' })
})

afterEach(() => transport.close())

const asked = (server: FaultServer): TokenQuery => ({
  realm: new URL('token', server.url),
  service: 'reg',
  scopes: ['repository:team/app:pull'],
})

describe('over the real transport, which follows redirects', () => {
  test.each([301, 302, 303, 307, 308])(
    'an identity token, sent in the body, is not sent on when the token service answers with a %i redirect',
    async status => {
      await using elsewhere = await startFaultServer([{ status: 200, body: '{"token":"stolen"}' }])
      await using service = await startFaultServer([{ status, headers: { location: elsewhere.url.href } }])
      const answer = await requestToken(asked(service), identity, { transport, onSecret: () => undefined })
      expect(isToken(answer) ? answer : answer.status).toBe(status)
      expect(service.seen).toMatchObject([{ method: 'POST', body: expect.stringContaining('refresh') as string }])
      expect(elsewhere.seen).toEqual([])
    },
  )
})

describe('what a token service is asked', () => {
  test.each<[Credential | undefined, object]>([
    [undefined, { method: 'GET', headers: { accept: 'application/json' } }],
    [
      identity,
      {
        method: 'POST',
        headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      },
    ],
  ])('for %j: JSON, in the form that its framework reads', async (credential, expected) => {
    await using service = await startFaultServer([{ status: 200, body: '{"token":"given"}' }])
    await requestToken(asked(service), credential, { transport, onSecret: () => undefined })
    expect(service.seen).toMatchObject([expected])
  })

  test.each([undefined, identity])('is told when it does not answer (%j)', async credential => {
    const service = await startFaultServer()
    await service.stop()
    const lost = requestToken(asked(service), credential, {
      transport: { ...transport, request: request => transport.request({ ...request, retry: 'never' }) },
      onSecret: () => undefined,
    })
    await expect(lost).rejects.toMatchObject({ operation: 'get a token' })
  })
})

describe('a secret is masked in every form, before it is sent', () => {
  const BASIC = Buffer.from('<token>:refresh').toString('base64')

  test('an identity token used as a password is masked as it is and in base64', async () => {
    const secrets: string[] = []
    const masked: string[][] = []
    await using service = await startFaultServer([
      { status: 404 },
      {
        handle: (_request, response) => {
          masked.push([...secrets])
          response.end('{"token":"given"}')
        },
      },
    ])
    await requestToken(asked(service), identity, { transport, onSecret: secret => secrets.push(secret) })
    expect(service.seen.at(-1)?.headers['authorization']).toBe(`Basic ${BASIC}`)
    expect(new Set(masked[0])).toEqual(new Set(['refresh', BASIC]))
    expect(secrets).toContain('given')
  })

  test.each<[Credential, string, string]>([
    [{ kind: 'password', username: 'u', password: 'p' }, 'p', 'u:p'],
    [identity, 'refresh', '<token>:refresh'],
  ])('%j in an Authorization header is masked as it is and in base64', (credential, secret, pair) => {
    const secrets: string[] = []
    const encoded = Buffer.from(pair).toString('base64')
    expect(basic(credential, one => secrets.push(one))).toBe(`Basic ${encoded}`)
    expect(secrets).toEqual([secret, encoded])
  })

  test('a token that the service calls access_token is masked', async () => {
    const secrets: string[] = []
    await using service = await startFaultServer([{ status: 200, body: '{"access_token":"given"}' }])
    await requestToken(asked(service), undefined, { transport, onSecret: secret => secrets.push(secret) })
    expect(secrets).toEqual(['given'])
  })
})
