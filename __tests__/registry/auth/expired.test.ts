import { readAll } from '../../../src/content/verify.ts'
import { readRefusal } from '../../../src/registry/auth/expired.ts'
import { scripted } from '../scripted.ts'

const refused = (body: string): ReturnType<typeof readRefusal> =>
  scripted(() => ({ status: 403, body }))
    .request({ method: 'GET', url: new URL('https://reg.example.com/') })
    .then(readRefusal)

test.each([
  ['Your authorization token has expired. Reauthenticate and try again.', true],
  ['{"errors":[{"code":"DENIED","message":"Your Authorization Token has expired"}]}', true],
  ['The credentials expired', true],
  ['session is expired', true],
  ['LOGIN EXPIRED', true],
  ['password: expired', true],
  [`token ${'x'.repeat(78)} expired`, true],
  [`token ${'x'.repeat(79)} expired`, false],
  ['The token is not valid. The subscription expired', false],
  ['requested access to the resource is denied', false],
  ['tokens expired', false],
  ['token unexpired', false],
  ['', undefined],
])('whether %j says that a password has expired: %s', async (body, expired) => {
  expect((await refused(body)).expired).toBe(expired)
})

test('a refusal that was looked into can be read in every way as before', async () => {
  const { response } = await refused('say why')
  expect(response.status).toBe(403)
  expect(await response.text(100)).toBe('say why')
  expect(Buffer.from(await response.bytes(100)).toString()).toBe('say why')
  expect(await response.excerpt(3)).toBe('say')
  expect(Buffer.from(await readAll(response.body, { maxBytes: 100, what: 'it' })).toString()).toBe('say why')
  await expect(response.discard()).resolves.toBeUndefined()
})
