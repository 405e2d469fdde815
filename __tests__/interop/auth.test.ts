import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PublishReport } from '../../src/publish/report.ts'
import { startCountingProxy } from '../support/counting-proxy.ts'
import { run, temporaryDirectory } from '../support/peers.ts'
import { runCli, type CliRun } from '../support/published.ts'
import { REGISTRIES, type Password, type RunningRegistry } from '../support/registries.ts'
import { startTokenServer } from '../support/token-server.ts'

const CI: Password = { username: 'ci', password: 'open: sesame' }
const USERS = { ci: CI.password }

/** A machine that nobody has logged in on, with one small layer to publish. */
interface Machine extends AsyncDisposable {
  readonly path: string
  publish(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<CliRun>
  /** Publishes, or fails with what was said. */
  published(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<PublishReport>
  /** Leaves a docker config, as `docker login` does. */
  dockerConfig(config: object): Promise<void>
}

async function newMachine(): Promise<Machine> {
  const { path, [Symbol.asyncDispose]: dispose } = await temporaryDirectory()
  await mkdir(join(path, 'app'))
  await writeFile(join(path, 'app/hello.txt'), 'hello\n')
  const publish = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CliRun> =>
    runCli(['publish', '--json', '--layers', 'app/:/srv/', ...args], { cwd: path, env })
  return {
    path,
    publish,
    async published(args, env) {
      const { exitCode, stdout, stderr } = await publish(args, env)
      if (exitCode !== 0) throw new Error(`exit code ${exitCode}:\n${stderr}`)
      return JSON.parse(stdout) as PublishReport
    },
    async dockerConfig(config) {
      await mkdir(join(path, '.docker'), { recursive: true })
      await writeFile(join(path, '.docker/config.json'), JSON.stringify(config))
    },
    [Symbol.asyncDispose]: dispose,
  }
}

function given({ username, password }: Password): NodeJS.ProcessEnv {
  return { OCI_PUBLISH_USERNAME: username, OCI_PUBLISH_PASSWORD: password }
}

function encoded({ username, password }: Password): { readonly auth: string } {
  return { auth: Buffer.from(`${username}:${password}`).toString('base64') }
}

/** Has another tool read everything that the reference points at, and check it; gives the digest. */
async function readByOther(reference: string): Promise<string> {
  await using work = await temporaryDirectory()
  const from = ['--all', '--src-tls-verify=false', '--src-creds', `${CI.username}:${CI.password}`]
  const digest = join(work.path, 'digest')
  await run('skopeo', ['copy', ...from, '--digestfile', digest, `docker://${reference}`, `dir:${work.path}/image`])
  return await readFile(digest, 'utf8')
}

const secured = REGISTRIES.filter(({ passwords }) => passwords)

describe.each(secured)('$name with passwords', ({ start }) => {
  test('the right one publishes; nothing of it is shown or left behind', async () => {
    await using registry = await start({ password: CI })
    await using machine = await newMachine()
    const image = `${registry.host}/team/app:v1`
    const { exitCode, stdout, stderr } = await machine.publish(['--images', image], given(CI))
    expect(exitCode).toBe(0)
    expect(await readByOther(image)).toBe((JSON.parse(stdout) as PublishReport).digest)
    expect(stdout + stderr).not.toContain(CI.password)
    expect(stdout + stderr).not.toContain(encoded(CI).auth)
    await expect(readFile(join(machine.path, '.docker/config.json'))).rejects.toThrow('ENOENT')
  })

  test('a wrong one fails, and says whose it was', async () => {
    await using registry = await start({ password: CI })
    await using machine = await newMachine()
    const wrong = { username: 'ci', password: 'open barley' }
    const { exitCode, stderr } = await machine.publish(['--images', `${registry.host}/team/app:v1`], given(wrong))
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`${registry.host} refused the credentials of inputs username and password`)
    expect(stderr).toContain(`docker login ${registry.host}`)
    expect(stderr).not.toContain('open barley')
    expect(registry.requests.filter(({ status }) => status !== 401)).toEqual([])
  })

  test('without one it fails, and says where it was looked', async () => {
    await using registry = await start({ password: CI })
    await using machine = await newMachine()
    const { exitCode, stderr } = await machine.publish(['--images', `${registry.host}/team/app:v1`])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`no credentials for ${registry.host}, which wants some to `)
    expect(stderr).toContain(`docker config ${join(machine.path, '.docker/config.json')} (not there)`)
    expect(stderr).toContain('podman auth file ')
    expect(stderr).toContain(`add "registry: ${registry.host}", "username" and "password"`)
  })
})

describe.each(secured)('$name with tokens', ({ start }) => {
  test('the right password publishes, with one token for everything', async () => {
    await using tokens = await startTokenServer({ users: USERS })
    await using registry = await start({ token: tokens })
    await using machine = await newMachine()
    const image = `${registry.host}/team/app:v1`
    const report = await machine.published(['--images', image], given(CI))
    expect(tokens.requests).toEqual([
      { method: 'GET', user: 'ci', scopes: ['repository:team/app:pull,push'], status: 200 },
    ])
    expect(await readByOther(image)).toBe(report.digest)
  })

  test('a wrong password fails, and says whose it was', async () => {
    await using tokens = await startTokenServer({ users: USERS })
    await using registry = await start({ token: tokens })
    await using machine = await newMachine()
    const wrong = { username: 'ci', password: 'open barley' }
    const { exitCode, stderr } = await machine.publish(['--images', `${registry.host}/team/app:v1`], given(wrong))
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`${registry.host} refused the credentials of inputs username and password`)
    expect(stderr).toContain('incorrect username or password')
    expect(stderr).not.toContain('open barley')
  })

  test('without credentials it fails, and says where it was looked', async () => {
    await using tokens = await startTokenServer({ users: USERS })
    await using registry = await start({ token: tokens })
    await using machine = await newMachine()
    const { exitCode, stderr } = await machine.publish(['--images', `${registry.host}/team/app:v1`])
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`no credentials for ${registry.host}, which wants some to `)
    expect(stderr).toContain(`docker config ${join(machine.path, '.docker/config.json')} (not there)`)
  })

  test('a user who may not push there is told so', async () => {
    await using tokens = await startTokenServer({ users: USERS, grants: () => ['pull'] })
    await using registry = await start({ token: tokens })
    await using machine = await newMachine()
    const { exitCode, stderr } = await machine.publish(['--images', `${registry.host}/team/app:v1`], given(CI))
    expect(exitCode).toBe(1)
    const image = `${registry.host}/team/app`
    expect(stderr).toContain(`the credentials of inputs username and password may not push to ${image}`)
    // Asked for again once, then taken for an answer.
    expect(tokens.requests.length).toBeLessThanOrEqual(3)
  })

  test('a token that ends while a layer is under way is renewed, and the layer sent again', async () => {
    await using tokens = await startTokenServer({ users: USERS })
    await using registry = await start({ token: tokens })
    await using machine = await newMachine()
    await writeFile(join(machine.path, 'app/large.bin'), randomBytes(8 << 20))
    tokens.lifetimeSeconds = 1
    let held = ''
    await using proxy = await startCountingProxy(registry.directHost, {
      before: async ({ method, path }) => {
        if (held !== '' || method !== 'PUT') return
        held = path
        const over = tokens.expired()
        tokens.lifetimeSeconds = 300
        await over
      },
    })
    const image = `${proxy.host}/team/app:v1`
    const report = await machine.published(['--images', image], given(CI))
    expect(proxy.requests.find(({ path }) => path === held)?.status).toBe(401)
    expect(tokens.requests.length).toBeGreaterThan(1)
    expect(await readByOther(image)).toBe(report.digest)
  })

  test('layers of another repository are mounted, with a token for both', async () => {
    await using tokens = await startTokenServer({ users: USERS })
    await using registry = await start({ token: tokens })
    await using machine = await newMachine()
    const base = await publishBase(registry, machine, 'team/base')
    const image = `${registry.host}/team/app:v1`
    const report = await machine.published(['--images', image, '--base-image', base], given(CI))
    expect(report.targets[0]?.mounted.count).toBe(1)
    expect(mounts(registry)).toEqual([201])
    expect(tokens.requests).toContainEqual({
      method: 'GET',
      user: 'ci',
      scopes: ['repository:team/app:pull,push', 'repository:team/base:pull'],
      status: 200,
    })
    expect(await readByOther(image)).toBe(report.digest)
  })

  test('layers that only other credentials may read are sent, where they cannot be mounted', async () => {
    const users = { ...USERS, reader: 'read', writer: 'write' }
    const allowed: Record<string, string> = { reader: 'team/base', writer: 'team/app' }
    await using tokens = await startTokenServer({
      users,
      grants: (user = '', repository) => (user === 'ci' || allowed[user] === repository ? ['*'] : []),
    })
    await using registry = await start({ token: tokens })
    await using machine = await newMachine()
    const base = await publishBase(registry, machine, 'team/base')
    const file = join(machine.path, 'auth.json')
    const auths = {
      [`${registry.host}/team/base`]: encoded({ username: 'reader', password: 'read' }),
      [`${registry.host}/team/app`]: encoded({ username: 'writer', password: 'write' }),
    }
    await writeFile(file, JSON.stringify({ auths }))
    const image = `${registry.host}/team/app:v1`
    const report = await machine.published(['--images', image, '--base-image', base], { REGISTRY_AUTH_FILE: file })
    expect(report.targets[0]?.mounted.count).toBe(0)
    expect(await readByOther(image)).toBe(report.digest)
  })

  test('a base that anybody may read needs no credentials, though the push does', async () => {
    await using hub = await startTokenServer({
      users: USERS,
      grants: (user, repository) => (user === 'ci' ? ['*'] : repository === 'public/base' ? ['pull'] : []),
    })
    await using publicRegistry = await start({ token: hub })
    await using tokens = await startTokenServer({ users: USERS })
    await using registry = await start({ token: tokens })
    await using machine = await newMachine()
    const base = await publishBase(publicRegistry, machine, 'public/base')
    const seen = hub.requests.length
    await machine.dockerConfig({ auths: { [registry.host]: encoded(CI) } })
    const image = `${registry.host}/team/app:v1`
    const report = await machine.published(['--images', image, '--base-image', base])
    expect(new Set(hub.requests.slice(seen).map(({ user }) => user))).toEqual(new Set([undefined]))
    expect(new Set(tokens.requests.map(({ user }) => user))).toEqual(new Set(['ci']))
    expect(await readByOther(image)).toBe(report.digest)
  })
})

describe.each(secured)('logins of other tools, on $name', ({ start }) => {
  test("docker's config", async () => {
    await using tokens = await startTokenServer({ users: USERS })
    await using registry = await start({ token: tokens })
    await using machine = await newMachine()
    await machine.dockerConfig({ auths: { [registry.host]: encoded(CI), 'other.example': { auth: 'bm86bm8=' } } })
    const image = `${registry.host}/team/app:v1`
    const report = await machine.published(['--images', image])
    expect(await readByOther(image)).toBe(report.digest)
  })

  test('inspect reads with them, and gives manifest and config as they are stored', async () => {
    await using tokens = await startTokenServer({ users: USERS })
    await using registry = await start({ token: tokens })
    await using machine = await newMachine()
    await machine.dockerConfig({ auths: { [registry.host]: encoded(CI) } })
    const image = `${registry.host}/team/app:v1`
    await machine.published(['--images', image])
    const inspect = async (...flags: string[]): Promise<string> =>
      (await runCli(['inspect', image, ...flags], { cwd: machine.path })).stdout
    const other = async (...flags: string[]): Promise<string> => {
      const how = ['--tls-verify=false', '--creds', `${CI.username}:${CI.password}`]
      return run('skopeo', ['inspect', ...how, ...flags, `docker://${image}`])
    }
    expect(await inspect('--raw')).toBe(await other('--raw'))
    expect(await inspect('--config')).toBe(await other('--raw', '--config'))
    expect(await inspect()).toContain('  type         image for linux/amd64, ')
    await machine.dockerConfig({})
    const refused = await runCli(['inspect', image], { cwd: machine.path })
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.stderr).toContain(`no credentials for ${registry.host}, which wants some to read manifest v1`)
  })

  test("docker's config with an identity token", async () => {
    await using tokens = await startTokenServer({ users: USERS })
    await using registry = await start({ token: tokens })
    await using machine = await newMachine()
    await machine.dockerConfig({ auths: { [registry.host]: { identitytoken: 'identity-ci' } } })
    const image = `${registry.host}/team/app:v1`
    const report = await machine.published(['--images', image])
    expect(new Set(tokens.requests.map(({ method, user }) => `${method} ${user ?? ''}`))).toEqual(new Set(['POST ci']))
    expect(await readByOther(image)).toBe(report.digest)
  })

  test('DOCKER_AUTH_CONFIG', async () => {
    await using registry = await start({ password: CI })
    await using machine = await newMachine()
    const image = `${registry.host}/team/app:v1`
    const config = JSON.stringify({ auths: { [registry.host]: encoded(CI) } })
    const report = await machine.published(['--images', image], { DOCKER_AUTH_CONFIG: config })
    expect(await readByOther(image)).toBe(report.digest)
  })

  test.each([
    ['for one host', (host: string) => ({ credHelpers: { [host]: 'of-the-test' } })],
    ['for all hosts', () => ({ credsStore: 'of-the-test' })],
  ])('a credential helper %s, which is asked for this host only', async (_name, configFor) => {
    await using registry = await start({ password: CI })
    await using machine = await newMachine()
    await machine.dockerConfig(configFor(registry.host))
    const env = await installHelper(machine, { Username: CI.username, Secret: CI.password })
    const image = `${registry.host}/team/app:v1`
    const report = await machine.published(['--images', image], env)
    expect(await readFile(join(machine.path, 'asked'), 'utf8')).toBe(`get ${registry.host}\n`)
    expect(await readByOther(image)).toBe(report.digest)
  })

  test('a credential helper with an identity token', async () => {
    await using tokens = await startTokenServer({ users: USERS })
    await using registry = await start({ token: tokens })
    await using machine = await newMachine()
    await machine.dockerConfig({ credsStore: 'of-the-test' })
    const env = await installHelper(machine, { Username: '<token>', Secret: 'identity-ci' })
    const image = `${registry.host}/team/app:v1`
    const report = await machine.published(['--images', image], env)
    expect(await readByOther(image)).toBe(report.digest)
  })

  test('a credential helper that is not installed is named', async () => {
    await using registry = await start({ password: CI })
    await using machine = await newMachine()
    await machine.dockerConfig({ credsStore: 'of-the-test' })
    const { exitCode, stderr } = await machine.publish(['--images', `${registry.host}/team/app:v1`])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('could not run docker-credential-of-the-test: it is not in PATH')
  })
})

/** Something to build on, in a registry that knows `ci`. */
async function publishBase({ directHost, host }: RunningRegistry, machine: Machine, name: string): Promise<string> {
  await mkdir(join(machine.path, 'base'), { recursive: true })
  await writeFile(join(machine.path, 'base/base.txt'), 'base\n')
  const args = ['publish', '--quiet', '--images', `${directHost}/${name}:1`, '--layers', 'base/:/']
  const { exitCode, stderr } = await runCli(args, { cwd: machine.path, env: given(CI) })
  if (exitCode !== 0) throw new Error(stderr)
  return `${host}/${name}:1`
}

function mounts({ requests }: RunningRegistry): readonly number[] {
  return requests.filter(({ path }) => path.includes('mount=')).map(({ status }) => status)
}

/** A program in PATH that answers with a credential, and notes in the file `asked` what it was asked. */
async function installHelper(machine: Machine, answer: object): Promise<NodeJS.ProcessEnv> {
  const directory = join(machine.path, 'bin')
  await mkdir(directory)
  const script = `#!/bin/sh\nread -r server\necho "$1 $server" >> '${join(machine.path, 'asked')}'\necho '${JSON.stringify(answer)}'\n`
  await writeFile(join(directory, 'docker-credential-of-the-test'), script, { mode: 0o755 })
  return { PATH: `${directory}:${process.env['PATH'] ?? ''}` }
}
