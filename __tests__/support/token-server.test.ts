import { X509Certificate, createVerify } from 'node:crypto'
import { startTokenServer } from './token-server.ts'

const ASK = '?service=x&scope=repository%3Ateam%2Fapp%3Apull%2Cpush&scope=repository%3Abase%3Apull'

async function token(realm: string, user?: string): Promise<string> {
  const headers: Record<string, string> =
    user === undefined ? {} : { authorization: `Basic ${Buffer.from(user).toString('base64')}` }
  const answer = (await (await fetch(`${realm}${ASK}`, { headers })).json()) as { token: string }
  return answer.token
}

function claimsOf(jwt: string): { access: unknown; exp: number; iss: string; aud: string } {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as ReturnType<typeof claimsOf>
}

test('signs what it grants with the key of its certificate', async () => {
  const grants = (user: string | undefined, repository: string): readonly string[] =>
    user === 'ci' ? ['*'] : repository === 'base' ? ['pull'] : []
  await using server = await startTokenServer({ users: { ci: 'a:b' }, grants })
  const jwt = await token(server.realm, 'ci:a:b')
  const [header = '', claims = '', signature = ''] = jwt.split('.')
  const key = new X509Certificate(server.certificate).publicKey
  const verify = createVerify('RSA-SHA256').update(`${header}.${claims}`)
  expect(verify.verify(key, signature, 'base64url')).toBe(true)
  expect(claimsOf(jwt)).toMatchObject({
    iss: server.issuer,
    aud: server.service,
    access: [
      { type: 'repository', name: 'team/app', actions: ['pull', 'push'] },
      { type: 'repository', name: 'base', actions: ['pull'] },
    ],
  })
  expect(claimsOf(await token(server.realm)).access).toEqual([
    { type: 'repository', name: 'team/app', actions: [] },
    { type: 'repository', name: 'base', actions: ['pull'] },
  ])
  expect(server.requests.map(({ user, status }) => [user, status])).toEqual([
    ['ci', 200],
    [undefined, 200],
  ])
})

test.each(['ci:b', 'you:a', 'ci'])('gives nothing to %s', async user => {
  await using server = await startTokenServer({ users: { ci: 'a' } })
  expect(await token(server.realm, user)).toBeUndefined()
  expect(server.requests).toMatchObject([{ status: 401 }])
})

test('takes an identity token for a password', async () => {
  await using server = await startTokenServer({ users: { ci: 'a' } })
  const ask = async (refresh_token: string): Promise<number> => {
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token, scope: 'repository:a:pull' })
    return (await fetch(server.realm, { method: 'POST', body })).status
  }
  expect(await ask('identity-ci')).toBe(200)
  expect(await ask('identity-you')).toBe(401)
})
