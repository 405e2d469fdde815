import { chmod, mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Exec } from '../../../src/exec.ts'
import { exec } from '../../../src/exec.ts'
import { credentialChain } from '../../../src/registry/credentials/chain.ts'
import { authFiles } from '../../../src/registry/credentials/docker-config.ts'
import { githubToken, givenCredentials } from '../../../src/registry/credentials/inputs.ts'

const auth = (text: string): { auth: string } => ({ auth: Buffer.from(text).toString('base64') })

let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'credentials-'))
})

afterEach(async () => {
  await rm(home, { recursive: true, force: true })
})

async function write(path: string, content: object): Promise<string> {
  const file = join(home, path)
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, JSON.stringify(content))
  return file
}

const never: Exec = () => Promise.reject(new Error('no helper is wanted'))

describe('authFiles()', () => {
  test('a push after docker login has its credentials, and can say where from', async () => {
    const path = await write('.docker/config.json', { auths: { 'ghcr.io': auth('u:p') } })
    const found = await authFiles({ env: { HOME: home }, exec: never }).find('ghcr.io', 'team/app')
    expect(found).toEqual({
      credential: { kind: 'password', username: 'u', password: 'p' },
      from: `docker config ${path}`,
      lookedAt: [`docker config ${path}`],
    })
  })

  test('a login that was renewed while we ran is found when the old one is refused', async () => {
    await write('.docker/config.json', { auths: { 'ghcr.io': auth('u:old') } })
    const files = authFiles({ env: { HOME: home }, exec: never })
    await files.find('ghcr.io', 'team/app')
    await write('.docker/config.json', { auths: { 'ghcr.io': auth('u:new') } })
    expect(await files.find('ghcr.io', 'team/app')).toMatchObject({ credential: { password: 'old' } })
    credentialChain([files]).forget?.('ghcr.io')
    expect(await files.find('ghcr.io', 'team/app')).toMatchObject({ credential: { password: 'new' } })
  })

  test("podman's file is not ignored because docker has a config", async () => {
    await write('.docker/config.json', { auths: { 'ghcr.io': auth('u:p') } })
    const path = await write('run/containers/auth.json', { auths: { 'quay.io/team': auth('robot:p') } })
    const env = { HOME: home, XDG_RUNTIME_DIR: join(home, 'run') }
    const found = await authFiles({ env, exec: never }).find('quay.io', 'team/app')
    expect(found).toMatchObject({ credential: { username: 'robot' }, from: `podman auth file ${path}` })
  })

  test('when nothing is found, every place is named, so that the user sees which one was meant', async () => {
    const broken = join(home, 'auth.json')
    await writeFile(broken, '{')
    const env = {
      DOCKER_AUTH_CONFIG: '',
      REGISTRY_AUTH_FILE: broken,
      DOCKER_CONFIG: join(home, 'd'),
      XDG_CONFIG_HOME: join(home, 'c'),
    }
    const found = await authFiles({ env, exec: never, uid: 12 }).find('ghcr.io', 'team/app')
    expect(found.credential).toBeUndefined()
    expect(found.lookedAt).toEqual([
      expect.stringContaining(`REGISTRY_AUTH_FILE ${broken}: not JSON`),
      `docker config ${join(home, 'd', 'config.json')} (not there)`,
      'podman auth file /run/containers/12/auth.json (not there)',
      `podman auth file ${join(home, 'c', 'containers', 'auth.json')} (not there)`,
    ])
  })

  test('GitLab hands its credentials over in a variable', async () => {
    const env = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { 'registry.example.com:5050': auth('ci:t') } }) }
    const found = await authFiles({ env, exec: never }).find('registry.example.com:5050', 'g/p')
    expect(found).toMatchObject({ credential: { username: 'ci', password: 't' }, from: 'DOCKER_AUTH_CONFIG' })
  })
})

describe('credential helpers', () => {
  const helper = async (script: string): Promise<NodeJS.ProcessEnv> => {
    const path = join(home, 'bin', 'docker-credential-test')
    await mkdir(join(home, 'bin'), { recursive: true })
    await writeFile(path, `#!/bin/sh\n${script}\n`)
    await chmod(path, 0o755)
    return { PATH: `${join(home, 'bin')}${delimiter}${process.env['PATH'] ?? ''}` }
  }
  const withPath =
    (env: NodeJS.ProcessEnv): Exec =>
    (command, args, options) =>
      exec(command, args, { ...options, env })

  test('a helper is asked for the host on its standard input, Docker Hub by the name it is kept under', async () => {
    await write('.docker/config.json', { credsStore: 'test', auths: { 'docker.io': {} } })
    const env = await helper(
      `read url || true; echo "{\\"ServerURL\\":\\"$url\\",\\"Username\\":\\"$url\\",\\"Secret\\":\\"s\\"}"`,
    )
    const source = authFiles({ env: { HOME: home }, exec: withPath(env) })
    expect(await source.find('docker.io', 'library/alpine')).toMatchObject({
      credential: { kind: 'password', username: 'https://index.docker.io/v1/', password: 's' },
    })
    expect(await source.find('ghcr.io', 'a/b')).toMatchObject({ credential: { username: 'ghcr.io' } })
  })

  test('a helper that has an identity token says so by the user name', async () => {
    await write('.docker/config.json', { credHelpers: { 'x.azurecr.io': 'test' } })
    const env = await helper(`cat >/dev/null; echo '{"ServerURL":"","Username":"<token>","Secret":"refresh"}'`)
    const found = await authFiles({ env: { HOME: home }, exec: withPath(env) }).find('x.azurecr.io', 'a')
    expect(found.credential).toEqual({ kind: 'identity', token: 'refresh' })
  })

  test.each([
    [
      'has nothing',
      'echo "credentials not found in native keychain"; exit 1',
      /^docker-credential-test of docker config \S+$/,
    ],
    [
      'fails',
      'echo "the keychain is locked" >&2; exit 1',
      /docker-credential-test: exit code 1: the keychain is locked\)$/,
    ],
    ['talks nonsense', 'echo hello', /docker-credential-test: not JSON/],
  ])('a helper that %s does not keep anybody from a public image', async (_name, script, note) => {
    await write('.docker/config.json', { credsStore: 'test' })
    const found = await authFiles({ env: { HOME: home }, exec: withPath(await helper(script)) }).find('ghcr.io', 'a')
    expect(found.credential).toBeUndefined()
    expect(found.lookedAt[0]).toMatch(note)
  })

  test('a helper that is not installed is named as that', async () => {
    await write('.docker/config.json', { credsStore: 'test' })
    const found = await authFiles({ env: { HOME: home }, exec: withPath({ PATH: home }) }).find('ghcr.io', 'a')
    expect(found.lookedAt[0]).toContain('could not run docker-credential-test: it is not in PATH')
  })

  test('a config cannot name a program outside of the helpers', async () => {
    await write('.docker/config.json', { credsStore: '../../evil' })
    const found = await authFiles({ env: { HOME: home }, exec: never }).find('ghcr.io', 'a')
    expect(found.lookedAt[0]).toContain('not the name of a helper')
  })
})

describe('credentialChain()', () => {
  const given = givenCredentials([
    { registry: 'index.docker.io', username: 'u', password: 'p', from: 'inputs username and password' },
  ])

  test('what the user wrote down comes first, by any name of Docker Hub', async () => {
    const chain = credentialChain([given, githubToken('t')])
    expect(await chain.find('docker.io', 'a/b')).toMatchObject({ from: 'inputs username and password' })
  })

  test("the workflow's token is for GitHub's registry and for nobody else", async () => {
    const chain = credentialChain([given, githubToken('t', 'octocat')])
    expect(await chain.find('ghcr.io', 'a/b')).toMatchObject({
      credential: { kind: 'password', username: 'octocat', password: 't' },
      implied: true,
    })
    expect((await chain.find('ghcr.io.example.com', 'a/b')).credential).toBeUndefined()
  })
})
