import { entryFor, helperFor, parseAuthFile, type AuthFile } from '../../../src/registry/credentials/auth-file.ts'

const auth = (text: string): { auth: string } => ({ auth: Buffer.from(text).toString('base64') })
const file = (content: object): AuthFile => parseAuthFile(JSON.stringify(content), 'docker config')

describe('entryFor()', () => {
  test.each([
    [
      'finds what docker login left for Docker Hub',
      { 'https://index.docker.io/v1/': auth('u:p') },
      'docker.io',
      'library/alpine',
      'u',
    ],
    ['finds Docker Hub by its other names', { 'registry-1.docker.io': auth('u:p') }, 'docker.io', 'team/app', 'u'],
    ['finds a host with its port', { '127.0.0.1:5000': auth('u:p') }, '127.0.0.1:5000', 'app', 'u'],
    [
      'finds a host that is written as a URL',
      { 'https://reg.example.com/v2/': auth('u:p') },
      'reg.example.com',
      'app',
      'u',
    ],
    [
      'never gives one port the password of another',
      { '127.0.0.1:5000': auth('u:p') },
      '127.0.0.1:5001',
      'app',
      undefined,
    ],
    [
      'never takes a similar host for the same',
      { 'example.com': auth('u:p') },
      'example.com.evil.org',
      'app',
      undefined,
    ],
    [
      'never gives a host the password of its subdomain',
      { 'reg.example.com': auth('u:p') },
      'example.com',
      'app',
      undefined,
    ],
    [
      "prefers podman's entry of the team to that of the host",
      { 'q.io': auth('h:p'), 'q.io/team': auth('t:p'), 'q.io/team/app/x': auth('x:p') },
      'q.io',
      'team/app',
      't',
    ],
    ['does not take the team "te" for "team"', { 'q.io/te': auth('t:p') }, 'q.io', 'team/app', undefined],
    ['skips the empty entries beside a credential store', { 'ghcr.io': {} }, 'ghcr.io', 'a', undefined],
  ])('%s', (_name, auths, host, repository, username) => {
    const found = entryFor(file({ auths }), host, repository)
    expect(found && 'username' in found ? found.username : undefined).toBe(username)
  })

  test.each([
    ['a password with colons', auth('user:a:b:c'), { kind: 'password', username: 'user', password: 'a:b:c' }],
    [
      'username and password in the open',
      { username: 'u', password: 'p' },
      { kind: 'password', username: 'u', password: 'p' },
    ],
    [
      'an identity token',
      { ...auth('00000000-0000-0000-0000-000000000000:'), identitytoken: 'refresh' },
      { kind: 'identity', token: 'refresh' },
    ],
    ['an identity token as helpers write it', auth('<token>:refresh'), { kind: 'identity', token: 'refresh' }],
    ['a token that is shown as it is', { registrytoken: 'jwt' }, { kind: 'bearer', token: 'jwt' }],
  ])('reads %s', (_name, entry, expected) => {
    expect(entryFor(file({ auths: { h: entry } }), 'h', 'r')).toEqual(expected)
  })
})

test('the helper of the host wins over the store for all', () => {
  const config = file({ credsStore: 'desktop', credHelpers: { '1.dkr.ecr.eu-west-1.amazonaws.com': 'ecr-login' } })
  expect(helperFor(config, '1.dkr.ecr.eu-west-1.amazonaws.com')).toBe('ecr-login')
  expect(helperFor(config, 'ghcr.io')).toBe('desktop')
  expect(helperFor(file({}), 'ghcr.io')).toBeUndefined()
})

test('a config that is broken says where and how', () => {
  expect(() => parseAuthFile('{"auths":{"h":{"auth":1}}}', 'docker config /c')).toThrow(
    'docker config /c: auths.h.auth is not text',
  )
})
