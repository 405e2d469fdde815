import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateKey } from 'openpgp'
import type { PublishReport } from '../../src/publish/report.ts'
import { run, temporaryDirectory } from '../support/peers.ts'
import { publishWithCli, runCli } from '../support/published.ts'
import { REGISTRIES, startRegistry, type Password, type RunningRegistry } from '../support/registries.ts'

const CI: Password = { username: 'ci', password: 'open: sesame' }
const HELMS = ['helm3', 'helm4'] as const

/** A place to work in, with the chart that `helm create` makes, and helm without anybody's settings. */
interface Bench extends AsyncDisposable {
  readonly path: string
  helm(program: (typeof HELMS)[number], ...args: readonly string[]): Promise<string>
  publish(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<PublishReport>
}

async function newBench(login?: { readonly host: string }): Promise<Bench> {
  const { path, [Symbol.asyncDispose]: dispose } = await temporaryDirectory()
  const auth = Buffer.from(`${CI.username}:${CI.password}`).toString('base64')
  await writeFile(join(path, 'logins.json'), JSON.stringify({ auths: login ? { [login.host]: { auth } } : {} }))
  const env = {
    ...{
      HELM_CONFIG_HOME: join(path, 'helm'),
      HELM_CACHE_HOME: join(path, 'cache'),
      HELM_DATA_HOME: join(path, 'data'),
    },
    HELM_REGISTRY_CONFIG: join(path, 'logins.json'),
  }
  await run('helm4', ['create', 'web'], { cwd: path, env })
  return {
    path,
    helm: (program, ...args) => run(program, args, { cwd: path, env }),
    publish: (args, own) => publishWithCli(args, { cwd: path, ...(own && { env: own }) }),
    [Symbol.asyncDispose]: dispose,
  }
}

function writesTo({ requests }: RunningRegistry, since: number): readonly string[] {
  const some = requests.slice(since).filter(({ method }) => method !== 'GET' && method !== 'HEAD')
  return some.map(({ method, path }) => `${method} ${path}`)
}

async function pulledBy(bench: Bench, helm: (typeof HELMS)[number], address: string, version: string): Promise<Buffer> {
  const to = join(bench.path, `from-${helm}`)
  await mkdir(to) // helm does not
  await bench.helm(helm, 'pull', address, '--version', version, '--plain-http', '--destination', to)
  return readFile(join(to, `web-${version}.tgz`))
}

describe.each(REGISTRIES)('on $name', ({ start }) => {
  test('helm 3 and helm 4 pull, show, render and install what was published', async () => {
    await using registry = await start()
    await using bench = await newBench()
    const version = '1.2.3+b.7'
    const args = ['--chart', 'web', '--chart-version', version, '--images', `${registry.host}/charts`]
    const report = await bench.publish(args)
    expect(report.tags).toEqual([`${registry.host}/charts/web:1.2.3_b.7`])
    const address = `oci://${registry.host}/charts/web`
    const which = [address, '--version', version, '--plain-http']
    const packages = await Promise.all(HELMS.map(helm => pulledBy(bench, helm, address, version)))
    expect(packages[0]).toEqual(packages[1])
    for (const helm of HELMS) {
      expect(await bench.helm(helm, 'show', 'chart', ...which)).toContain(`version: ${version}`)
      expect(await bench.helm(helm, 'show', 'values', ...which)).toBe(
        `${await readFile(join(bench.path, 'web/values.yaml'), 'utf8')}\n`,
      )
      expect(await bench.helm(helm, 'template', 'name', ...which)).toContain('helm.sh/chart: web-1.2.3_b.7')
    }
    expect(await bench.helm('helm4', 'install', 'name', '--dry-run=client', ...which)).toContain('kind: Deployment')
    // A range finds it as well.
    expect(await bench.helm('helm3', 'show', 'chart', address, '--version', '^1', '--plain-http')).toContain(version)
  })

  test('the same chart again sends nothing, another one of that version is refused', async () => {
    await using registry = await start()
    await using bench = await newBench()
    const args = ['--chart', 'web', '--images', `${registry.host}/charts`]
    const first = await bench.publish([...args, '--source-date-epoch', '1'])
    const mark = registry.requests.length
    const second = await bench.publish([...args, '--source-date-epoch', '2'])
    expect(second.refs).toEqual(first.refs)
    expect(writesTo(registry, mark)).toEqual([])

    await writeFile(join(bench.path, 'web/values.yaml'), 'replicaCount: 7\n')
    const refused = await runCli(['publish', ...args], { cwd: bench.path })
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.stderr).toContain('this version has been published with other content')
    expect(refused.stderr).toContain('chart-version')
    expect(writesTo(registry, mark)).toEqual([])

    const moved = await bench.publish([...args, '--on-existing-tag', 'overwrite'])
    expect(moved.digest).not.toBe(first.digest)
    const shown = ['show', 'values', `oci://${registry.host}/charts/web`, '--version', '0.1.0', '--plain-http']
    expect(await bench.helm('helm4', ...shown)).toContain('replicaCount: 7')
  })

  test.each(HELMS)('what %s has pushed is known to be there, package for package', async helm => {
    await using registry = await start()
    await using bench = await newBench()
    await bench.helm(helm, 'package', 'web')
    await bench.helm(helm, 'push', 'web-0.1.0.tgz', `oci://${registry.host}/charts`, '--plain-http')
    const pushed = (await run('crane', ['digest', '--insecure', `${registry.host}/charts/web:0.1.0`])).trim()
    const mark = registry.requests.length
    const report = await bench.publish(['--chart', 'web-0.1.0.tgz', '--images', `${registry.host}/charts`])
    expect(report.digest).toBe(pushed)
    expect(writesTo(registry, mark)).toEqual([])
  })
})

describe.each(REGISTRIES.filter(({ passwords }) => passwords))('on $name with a password', ({ start }) => {
  test('the chart gets there, and helm gets it from there', async () => {
    await using registry = await start({ password: CI })
    await using bench = await newBench(registry)
    const env = { OCI_PUBLISH_USERNAME: CI.username, OCI_PUBLISH_PASSWORD: CI.password }
    await bench.publish(['--chart', 'web', '--images', `${registry.host}/charts`], env)
    const address = `oci://${registry.host}/charts/web`
    const packages = await Promise.all(HELMS.map(helm => pulledBy(bench, helm, address, '0.1.0')))
    expect(packages[0]).toEqual(packages[1])
  })
})

test('helm 3 and helm 4 verify what was signed, and refuse what was changed', async () => {
  await using registry = await startRegistry()
  await using bench = await newBench()
  const { privateKey, publicKey } = await generateKey({
    ...{ type: 'rsa', rsaBits: 2048, userIDs: [{ name: 'Charts', email: 'charts@example.com' }], format: 'object' },
    passphrase: 'secret words',
  })
  const keyring = join(bench.path, 'keyring.gpg')
  await writeFile(keyring, publicKey.write())
  const env = { OCI_PUBLISH_CHART_SIGN_KEY: privateKey.armor(), OCI_PUBLISH_CHART_SIGN_PASSPHRASE: 'secret words' }
  const args = ['--chart', 'web', '--images', `${registry.host}/charts`]
  const { exitCode, stdout, stderr } = await runCli(['publish', ...args], { cwd: bench.path, env })
  expect(exitCode).toBe(0)
  expect(stdout + stderr).not.toMatch(/secret words|BEGIN PGP/)
  for (const helm of HELMS) {
    const to = join(bench.path, `verified-${helm}`)
    await mkdir(to)
    const which = [`oci://${registry.host}/charts/web`, '--version', '0.1.0', '--plain-http', '--destination', to]
    await bench.helm(helm, 'pull', ...which, '--verify', '--keyring', keyring)
    const file = join(to, 'web-0.1.0.tgz')
    await bench.helm(helm, 'verify', file, '--keyring', keyring)
    await writeFile(file, Buffer.concat([await readFile(file), Buffer.from('x')]))
    await expect(bench.helm(helm, 'verify', file, '--keyring', keyring)).rejects.toThrow('sha256')
  }
  // Signed again, also in another second, it is what it was.
  const mark = registry.requests.length
  expect(await runCli(['publish', ...args], { cwd: bench.path, env })).toMatchObject({ exitCode: 0, stdout })
  expect(writesTo(registry, mark)).toEqual([])
})

test('a .prov file that helm made goes along, and one of another package is refused', async () => {
  await using registry = await startRegistry()
  await using bench = await newBench()
  const { privateKey, publicKey } = await generateKey({
    ...{ type: 'rsa', rsaBits: 2048, userIDs: [{ name: 'Charts' }], format: 'object' },
  })
  await writeFile(join(bench.path, 'secret.gpg'), privateKey.write())
  await writeFile(join(bench.path, 'keyring.gpg'), publicKey.write())
  await bench.helm('helm4', 'package', 'web', '--sign', '--key', 'Charts', '--keyring', 'secret.gpg')
  const args = ['--chart', 'web-0.1.0.tgz', '--images', `${registry.host}/charts`]
  await bench.publish(args)
  const which = [`oci://${registry.host}/charts/web`, '--version', '0.1.0', '--plain-http', '--destination', 'to']
  await mkdir(join(bench.path, 'to'))
  await bench.helm('helm3', 'pull', ...which, '--verify', '--keyring', 'keyring.gpg')
  const pulled = await readFile(join(bench.path, 'to/web-0.1.0.tgz.prov'), 'utf8')
  expect(pulled).toBe(await readFile(join(bench.path, 'web-0.1.0.tgz.prov'), 'utf8'))

  await writeFile(join(bench.path, 'web/values.yaml'), 'replicaCount: 7\n')
  await bench.helm('helm4', 'package', 'web')
  const refused = await runCli(['publish', ...args], { cwd: bench.path })
  expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
  expect(refused.stderr).toContain('web-0.1.0.tgz.prov was made for another package')
})

test('image and chart go in one run, and helm renders the chart with this image', async () => {
  await using registry = await startRegistry()
  await using bench = await newBench()
  await writeFile(join(bench.path, 'hello.txt'), 'hello\n')
  await writeFile(join(bench.path, 'web/values.yaml'), await withEmptyTag(bench))
  const report = await bench.publish([
    ...['--images', `${registry.host}/team/app`, '--tags', 'v7', '--layers', 'hello.txt:/srv/hello.txt'],
    ...['--chart', 'web', '--chart-repository', `${registry.host}/charts/web`, '--chart-app-version', 'image-tag'],
    ...['--chart-values', 'image.repository={repository}', '--chart-values', 'image.tag={tag}@{digest}'],
  ])
  const which = [`oci://${registry.host}/charts/web`, '--version', '0.1.0', '--plain-http']
  for (const helm of HELMS) {
    const rendered = await bench.helm(helm, 'template', 'name', ...which)
    expect(rendered).toContain(`image: "${registry.host}/team/app:v7@${report.digest}"`)
    expect(rendered).toContain('app.kubernetes.io/version: "v7"')
  }
})

async function withEmptyTag(bench: Bench): Promise<string> {
  const values = await readFile(join(bench.path, 'web/values.yaml'), 'utf8')
  expect(values).toContain('  tag: ""\n')
  return values
}

test('dependencies come from a registry that helm pushed them to, and helm finds nothing missing', async () => {
  await using registry = await startRegistry()
  await using bench = await newBench()
  await bench.helm('helm4', 'create', 'sub')
  await bench.helm('helm3', 'package', 'sub', '--version', '1.4.0')
  await bench.helm('helm3', 'push', 'sub-1.4.0.tgz', `oci://${registry.host}/deps`, '--plain-http')
  const chartYaml = join(bench.path, 'web/Chart.yaml')
  const needs = `dependencies:\n- name: sub\n  version: ^1\n  repository: oci://${registry.host}/deps\n`
  await writeFile(chartYaml, `${await readFile(chartYaml, 'utf8')}${needs}`)
  const args = ['--chart', 'web', '--images', `${registry.host}/charts`]
  const missing = await runCli(['publish', ...args], { cwd: bench.path })
  expect(missing).toMatchObject({ exitCode: 2 })
  await bench.publish([...args, '--chart-dependencies', 'update'])
  const pulled = await pulledBy(bench, 'helm3', `oci://${registry.host}/charts/web`, '0.1.0')
  expect(createHash('sha256').update(pulled).digest('hex')).toHaveLength(64)
  for (const helm of HELMS) {
    const list = await bench.helm(helm, 'dependency', 'list', join(bench.path, 'from-helm3/web-0.1.0.tgz'))
    expect(list).toMatch(/sub\s+\^1\s.*\sunpacked|sub\s+\^1\s.*\sok/)
  }
  // helm's own lock file is the one that we believe.
  await bench.helm('helm3', 'dependency', 'update', 'web', '--plain-http')
  await bench.publish([...args, '--chart-version', '0.2.0', '--chart-dependencies', 'build'])
})
