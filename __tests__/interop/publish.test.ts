import { appendFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  copyToLayout,
  makeLayout,
  pushArmVariants,
  pushAttestedIndex,
  pushDebian,
  pushIndex,
  pushManifest,
  pushNestedIndex,
} from '../support/base-images.ts'
import { craneValidate, run, runImage, skopeoInspectRaw, temporaryDirectory } from '../support/peers.ts'
import { makeProject, publishWithCli, runCli } from '../support/published.ts'
import { nodes } from '../action/dist-run.ts'
import { REGISTRIES, startRegistry } from '../support/registries.ts'

const bodies = (requests: readonly { readonly method: string }[]): readonly string[] =>
  requests.map(({ method }) => method).filter(method => ['PUT', 'POST', 'PATCH'].includes(method))

describe.each(REGISTRIES)('on $name', ({ start }) => {
  test('two platforms and three layers over a base become an image that others read and that runs on both', async () => {
    await using registry = await start()
    await using work = await temporaryDirectory()
    const project = await makeProject(work.path)
    await pushIndex(`${registry.directHost}/team/base:1`)
    const image = `${registry.host}/team/app:v1`
    const args = ['--images', image, '--base-image', `${registry.host}/team/base:1`, ...project]

    const first = await publishWithCli(args, { cwd: work.path })
    const index = JSON.parse(await skopeoInspectRaw(image)) as { manifests: readonly { platform: object }[] }
    expect(index.manifests.map(({ platform }) => platform)).toEqual([
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
    ])
    await craneValidate(image)
    for (const platform of ['linux/amd64', 'linux/arm64']) {
      expect(await runImage(image, { platform })).toBe(`Hello from ${platform}\n`)
      // The base still runs: /bin is the symlink that it was, and its shell is behind it.
      const look = [
        '/bin/sh',
        '-c',
        'ls -ld /bin /tmp && ls -ln /etc/app/app.conf && cat "/srv/assets/name with spaces/ünï.txt"',
      ]
      const seen = await runImage(image, { platform, args: look })
      expect(seen).toMatch(/^l.* \/bin -> usr\/bin$/m)
      expect(seen).toMatch(/^drwxrwxrwt .* \/tmp$/m)
      expect(seen).toMatch(/^-rw-r--r-- +1 1234 +2345 .*app\.conf$/m)
      expect(seen).toMatch(/^not ASCII$/m)
    }

    const seen = registry.requests.length
    const second = await publishWithCli(args, { cwd: work.path })
    expect(second.digest).toBe(first.digest)
    expect(second.targets.map(({ sent }) => sent)).toEqual([{ count: 0, bytes: 0 }])
    expect(bodies(registry.requests.slice(seen))).toEqual([])

    await appendFile(join(work.path, 'assets/dir1/file1.txt'), 'changed\n')
    const third = await publishWithCli(args, { cwd: work.path })
    const origins = third.platforms.map(({ layers }) =>
      layers.map(({ origin }) => origin).filter(one => one !== 'base'),
    )
    expect(origins).toEqual([
      ['cached', 'assembled', 'cached'],
      ['cached', 'assembled', 'cached'],
    ])
    // The layer, two configs, two manifests, the index.
    expect(third.targets[0]?.sent.count).toBe(6)
    await craneValidate(image)
  })
})

test('several registries get the same image in one run', async () => {
  await using registries = new AsyncDisposableStack()
  const hosts: string[] = []
  for (const { start } of REGISTRIES) hosts.push(registries.use(await start()).host)
  await using work = await temporaryDirectory()
  const project = await makeProject(work.path)
  await pushIndex(`${hosts[0]}/base:1`)
  const images = hosts.flatMap(host => ['--images', `${host}/team/app`])
  const report = await publishWithCli(
    [...images, '--tags', 'v1,v2', '--base-image', `${hosts[0]}/base:1`, ...project],
    {
      cwd: work.path,
    },
  )
  for (const host of hosts) {
    for (const tag of ['v1', 'v2']) {
      expect((await run('crane', ['digest', '--insecure', `${host}/team/app:${tag}`])).trim()).toBe(report.digest)
    }
    await craneValidate(`${host}/team/app:v1`)
  }
})

describe('bases that others made', () => {
  test.each([
    ['an index', pushIndex],
    ["Docker's manifest list", (reference: string) => pushIndex(reference, { family: 'docker' })],
    ['an index within an index', pushNestedIndex],
    ['an index with attestations', pushAttestedIndex],
  ])('%s', async (_name, pushBase) => {
    await using registry = await startRegistry()
    await using work = await temporaryDirectory()
    const project = await makeProject(work.path)
    const base = `${registry.host}/base:1`
    await pushBase(base)
    const image = `${registry.host}/app:v1`
    const report = await publishWithCli(['--images', image, '--base-image', base, ...project], { cwd: work.path })
    await craneValidate(image)
    expect(report.base?.digest).toBe((await run('crane', ['digest', '--insecure', base])).trim())
    expect(await runImage(image, { platform: 'linux/arm64' })).toBe('Hello from linux/arm64\n')
    expect(await runImage(image, { args: ['/bin/sh', '-c', 'id -u'] })).toBe('0\n')
  })

  test.each(['oci', 'docker'] as const)('a manifest of one platform with the types of %s', async family => {
    await using registry = await startRegistry()
    await using work = await temporaryDirectory()
    const project = await makeProject(work.path)
    const base = `${registry.host}/base:1`
    await pushManifest(base, { family })
    const image = `${registry.host}/app:v1`
    const lacking = await runCli(['publish', '--images', image, '--base-image', base, ...project], { cwd: work.path })
    expect(lacking.exitCode).toBe(2)
    expect(lacking.stderr).toContain('lacks linux/arm64; it has linux/amd64')
    const args = ['--images', image, '--base-image', base, '--platforms', 'linux/amd64', '--layers', 'assets/:/srv/']
    const report = await publishWithCli(args, { cwd: work.path })
    expect(report.mediaType).toBe('application/vnd.oci.image.manifest.v1+json')
    await craneValidate(image)
  })

  test('variants of arm: the right one, and a lower one with a notice', async () => {
    await using registry = await startRegistry()
    await using work = await temporaryDirectory()
    await makeProject(work.path)
    const base = `${registry.host}/arm:1`
    await pushArmVariants(base)
    const args = [
      'publish',
      '--json',
      '--images',
      `${registry.host}/app:v1`,
      '--base-image',
      base,
      '--layers',
      'assets/:/srv/',
    ]
    const exact = await runCli([...args, '--platforms', 'linux/arm/v6,linux/arm,linux/arm64'], { cwd: work.path })
    expect(exact.exitCode).toBe(0)
    expect(exact.stderr).not.toContain('stands in')
    const lower = await runCli([...args, '--platforms', 'linux/arm64/v9'], { cwd: work.path })
    expect(lower.exitCode).toBe(0)
    expect(lower.stderr).toContain('linux/arm64 stands in')
    const other = await runCli([...args, '--platforms', 'linux/arm/v5'], { cwd: work.path })
    expect(other.exitCode).toBe(2)
    expect(other.stderr).toContain('lacks linux/arm/v5; it has linux/arm/v6, linux/arm/v7, linux/arm64')
  })

  test('layouts, by skopeo and by umoci', async () => {
    await using registry = await startRegistry()
    await using work = await temporaryDirectory()
    const project = await makeProject(work.path)
    await pushIndex(`${registry.host}/base:1`)
    await copyToLayout(`${registry.host}/base:1`, join(work.path, 'bases'), 'small')
    const image = `${registry.host}/other/app:v1`
    await publishWithCli(['--images', image, '--base-image', 'oci:bases:small', ...project], { cwd: work.path })
    await craneValidate(image)
    expect(await runImage(image)).toBe('Hello from linux/amd64\n')

    await makeLayout(join(work.path, 'umoci'), 'base', 'amd64')
    const args = [
      '--images',
      image,
      '--base-image',
      'oci:umoci:base',
      '--layers',
      'assets/:/srv/',
      '--platforms',
      'linux/amd64',
    ]
    await publishWithCli(args, { cwd: work.path })
    await craneValidate(image)
    expect(await runImage(image, { args: ['/bin/sh', '-c', 'echo runs'] })).toBe('runs\n')
  })

  test('Debian itself, whose /bin, /lib and /sbin are symlinks', async () => {
    await using registry = await startRegistry()
    await using work = await temporaryDirectory()
    await makeProject(work.path)
    const base = `${registry.host}/debian:1`
    await pushDebian(base)
    const image = `${registry.host}/app:v1`
    const layers = ['--layers', 'build/{os}-{arch}/hello:/bin/hello', '--layers', 'assets/:/lib/assets/']
    const args = ['--images', image, '--base-image', base, ...layers, '--entrypoint', '/bin/hello']
    await publishWithCli(args, { cwd: work.path })
    expect(await runImage(image)).toBe('Hello from linux/amd64\n')
    const look = ['/bin/bash', '-c', 'readlink /bin /lib && ls /usr/lib/assets/dir1/file1.txt && perl -e "print 42"']
    expect(await runImage(image, { args: look })).toBe('usr/bin\nusr/lib\n/usr/lib/assets/dir1/file1.txt\n42')

    // A directory that would hide what is behind a symlink of the base.
    await mkdir(join(work.path, 'root/lib'), { recursive: true })
    await appendFile(join(work.path, 'root/lib/mine.txt'), 'mine\n')
    const root = ['--images', image, '--base-image', base, '--layers', 'root/:/']
    const refused = await runCli(['publish', ...root], { cwd: work.path })
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toMatch(/\/lib is a symlink .*follow-links=true/)
    await publishWithCli([...root.slice(0, -1), 'src=root/,dest=/,follow-links=true'], { cwd: work.path })
    expect(await runImage(image, { args: ['/bin/cat', '/usr/lib/mine.txt'] })).toBe('mine\n')
  })
})

test('layers of the base are mounted from its repository, not sent', async () => {
  await using registry = await startRegistry()
  await using work = await temporaryDirectory()
  const project = await makeProject(work.path)
  await pushIndex(`${registry.host}/base:1`)
  const args = ['--images', `${registry.host}/app:v1`, '--base-image', `${registry.host}/base:1`, ...project]
  const report = await publishWithCli(args, { cwd: work.path })
  const ofBase = new Set(
    report.platforms.flatMap(({ layers }) =>
      layers.filter(({ origin }) => origin === 'base').map(({ digest }) => digest),
    ),
  )
  expect(report.targets[0]?.mounted.count).toBe(ofBase.size)
})

const runs = async (image: string): Promise<void> => {
  expect(await runImage(image, { platform: 'linux/arm64' })).toBe('Hello from linux/arm64\n')
}

const readersOf = {
  gzip: async (image: string): Promise<void> => {
    await craneValidate(image)
    await runs(image)
  },
  none: runs, // crane validates what is gzip only
  // umoci of this version has no zstd; skopeo has, and checks every digest that it copies.
  zstd: async (image: string): Promise<void> => {
    await using copied = await temporaryDirectory()
    await run('skopeo', ['copy', '--all', '--src-tls-verify=false', `docker://${image}`, `dir:${copied.path}/image`])
  },
} as const

describe.each([
  ['oci', 'gzip', 'application/vnd.oci.image.layer.v1.tar+gzip'],
  ['oci', 'zstd', 'application/vnd.oci.image.layer.v1.tar+zstd'],
  ['oci', 'none', 'application/vnd.oci.image.layer.v1.tar'],
  ['docker', 'gzip', 'application/vnd.docker.image.rootfs.diff.tar.gzip'],
] as const)('types %s with compression %s', (types, compression, mediaType) => {
  test('are read and run by others', async () => {
    await using registry = await startRegistry()
    await using work = await temporaryDirectory()
    const project = await makeProject(work.path)
    await pushIndex(`${registry.host}/base:1`)
    const image = `${registry.host}/app:v1`
    const args = [
      '--images',
      image,
      '--base-image',
      `${registry.host}/base:1`,
      '--types',
      types,
      '--compression',
      compression,
    ]
    const report = await publishWithCli([...args, ...project], { cwd: work.path })
    const made = report.platforms.flatMap(({ layers }) => layers.filter(({ origin }) => origin !== 'base'))
    expect(new Set(made.map(layer => layer.mediaType))).toEqual(new Set([mediaType]))
    const manifest = JSON.parse(
      await skopeoInspectRaw(`${registry.host}/app@${report.platforms[0]?.digest ?? ''}`),
    ) as {
      mediaType: string
      layers: readonly { mediaType: string }[]
    }
    const prefix = types === 'docker' ? 'application/vnd.docker.' : 'application/vnd.oci.'
    expect(
      [manifest.mediaType, ...manifest.layers.map(layer => layer.mediaType)].every(type => type.startsWith(prefix)),
    ).toBe(true)
    await readersOf[compression](image)
  })
})

describe('the same request is the same image', () => {
  test('in another directory, as another user, with another umask, zone, language, Node and number of cores', async () => {
    const digests = new Map<string, string>()
    const publishIn = async (
      how: string,
      change: (command: readonly string[]) => readonly string[],
      env = {},
    ): Promise<void> => {
      await using work = await temporaryDirectory()
      const project = (await makeProject(work.path)).map(arg => (arg.includes('owner=') ? 'conf/:/etc/app/' : arg))
      await run('chmod', ['-R', 'a+rwX', work.path])
      const cli = join(import.meta.dirname, '../../dist/cli.js')
      const args = [
        'publish',
        '--no-push',
        '--cache',
        'off',
        '--outputs',
        'type=oci,dest=out',
        '--tags',
        'v1',
        ...project,
      ]
      const [command = '', ...rest] = change([process.execPath, cli, ...args])
      const settings = { cwd: work.path, env: { SOURCE_DATE_EPOCH: '1700000000', HOME: work.path, ...env } }
      const stdout = await run(command, rest, settings)
      digests.set(how, stdout.trim().replace(/^.*@/, ''))
    }
    await publishIn('as it is', command => command)
    await publishIn('in another directory', command => command)
    await publishIn('with another umask', command => ['sh', '-c', 'umask 077; exec "$@"', 'sh', ...command])
    await publishIn('as another user', command => ['setpriv', '--reuid=65534', '--clear-groups', ...command])
    await publishIn('in another zone and language', command => command, {
      TZ: 'Asia/Kathmandu',
      LANG: 'tr_TR.UTF-8',
      LC_ALL: 'C',
    })
    await publishIn('on one core', command => ['taskset', '-c', '0', ...command])
    await publishIn('with more threads', command => command, { UV_THREADPOOL_SIZE: '16' })
    for (const node of nodes()) await publishIn(node, ([, ...command]) => [node, ...command])
    expect(new Set(digests.values()).size).toBe(1)
  })
})

test('an archive is loaded by what loads archives of docker save', async () => {
  await using work = await temporaryDirectory()
  const project = (await makeProject(work.path)).map(arg => (arg.includes('owner=') ? 'conf/:/etc/app/' : arg))
  await publishWithCli(
    ['--no-push', '--outputs', 'type=oci,dest=app.tar', '--images', 'example.org/team/app:v1', ...project],
    {
      cwd: work.path,
    },
  )
  const layout = join(work.path, 'copied')
  await run('skopeo', ['copy', 'docker-archive:app.tar', `oci:${layout}:docker`], { cwd: work.path })
  await run('skopeo', ['copy', 'oci-archive:app.tar:v1', `oci:${layout}:oci`], { cwd: work.path })
  for (const name of ['docker', 'oci']) {
    const config = JSON.parse(await run('skopeo', ['inspect', '--config', `oci:${layout}:${name}`])) as object
    expect(config).toMatchObject({ architecture: 'amd64', config: { Entrypoint: ['/bin/hello'] } })
  }
})
