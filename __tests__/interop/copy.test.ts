import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pushAttestedIndex, pushIndex, pushManifest, pushNestedIndex } from '../support/base-images.ts'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { craneValidate, run, runImage, skopeoInspectRaw, temporaryDirectory } from '../support/peers.ts'
import { publishWithCli, runCli } from '../support/published.ts'
import { REGISTRIES, startRegistry } from '../support/registries.ts'

interface Report {
  readonly digest: string
  readonly targets: readonly [{ readonly sent: Tally; readonly mounted: Tally; readonly existing: Tally }]
}

interface Tally {
  readonly count: number
  readonly bytes: number
}

/** Copies with `--json`; what was printed is the report. */
async function copy(...args: readonly string[]): Promise<Report> {
  await using work = await temporaryDirectory()
  const { exitCode, stdout, stderr } = await runCli(['copy', '--json', ...args], { cwd: work.path })
  if (exitCode !== 0) throw new Error(`oci-publish copy ${args.join(' ')}: ${exitCode}\n${stderr}`)
  return JSON.parse(stdout) as Report
}

async function digestOf(reference: string): Promise<string> {
  return (await run('crane', ['digest', '--insecure', reference])).trim()
}

interface Index {
  readonly manifests: readonly { readonly digest: string; readonly platform?: Readonly<Record<string, string>> }[]
}

async function indexAt(reference: string): Promise<Index> {
  return JSON.parse(await skopeoInspectRaw(reference)) as Index
}

const IMAGES = [
  ['an index', pushIndex],
  ["Docker's manifest list", (reference: string) => pushIndex(reference, { family: 'docker' })],
  ["Docker's manifest of one platform", (reference: string) => pushManifest(reference, { family: 'docker' })],
  ['an index within an index', pushNestedIndex],
  ['an index with attestations', pushAttestedIndex],
] as const

describe.each(REGISTRIES)('on $name', ({ start, name }) => {
  test.each(IMAGES)('%s goes from registry to layout to registry, and is the same', async (_name, push) => {
    await using registry = await start()
    await using other = await start()
    await using work = await temporaryDirectory()
    const from = `${registry.host}/team/app:v1`
    await push(`${registry.directHost}/team/app:v1`)
    const raw = await skopeoInspectRaw(from)

    const { digest } = await copy(from, `${other.host}/copied/app`)
    expect(digest).toBe(await digestOf(from))
    expect(await digestOf(`${other.host}/copied/app:v1`)).toBe(digest)
    expect(await skopeoInspectRaw(`${other.host}/copied/app:v1`)).toBe(raw)

    const seen = [registry.requests.length, other.requests.length]
    const again = await copy(from, `${other.host}/copied/app`)
    expect(again.targets[0]).toMatchObject({ sent: { count: 0, bytes: 0 }, mounted: { count: 0, bytes: 0 } })
    const asked = [...registry.requests.slice(seen[0]), ...other.requests.slice(seen[1])]
    expect(asked.filter(({ path }) => path !== '/v2/').map(({ method }) => method)).toEqual(['HEAD', 'HEAD'])

    const layout = `oci:${join(work.path, 'layout')}`
    expect((await copy(`${other.host}/copied/app:v1`, layout)).digest).toBe(digest)
    const archive = `oci-archive:${join(work.path, 'layout.tar')}:v2`
    expect((await copy(`${layout}:v1`, archive)).digest).toBe(digest)
    expect((await copy(archive, `${registry.host}/back/app`)).digest).toBe(digest)
    expect(await skopeoInspectRaw(`${registry.host}/back/app:v2`)).toBe(raw)
    // skopeo looks for nothing but OCI's types in a layout.
    const isDocker = !raw.includes('application/vnd.oci.image')
    expect(isDocker ? raw : await run('skopeo', ['inspect', '--raw', `${layout}:v1`])).toBe(raw)
  })

  test('an index is whole after the way, and runs', async () => {
    await using registry = await start()
    await using other = await start()
    await pushIndex(`${registry.directHost}/team/app:v1`)
    await copy(`${registry.host}/team/app:v1`, `${other.host}/team/app`)
    await craneValidate(`${other.host}/team/app:v1`)
    expect(await runImage(`${other.host}/team/app:v1`, { args: ['/bin/sh', '-c', 'echo $BASE'] })).toBe('yes\n')
  })

  test('between repositories of one registry blobs are mounted, not sent', async () => {
    await using registry = await start()
    await pushIndex(`${registry.directHost}/team/app:v1`)
    const { targets } = await copy(`${registry.host}/team/app:v1`, `${registry.host}/team/stable:2`)
    const blobs = registry.requests.filter(({ path }) => path.includes('/blobs/'))
    expect(blobs.reduce((sum, { requestBytes, responseBytes }) => sum + requestBytes + responseBytes, 0)).toBe(0)
    expect(blobs.filter(({ method, status }) => method === 'POST' && status === 201)).toHaveLength(
      targets[0].mounted.count,
    )
    // refreg has one store for all repositories: there they are already.
    expect(targets[0].mounted.count + targets[0].existing.count).toBeGreaterThan(2)
    await craneValidate(`${registry.host}/team/stable:2`)
  })

  test('a repository lists what was copied to it, and one that is not there is said not to be', async () => {
    await using registry = await start()
    const repository = `${registry.host}/team/app`
    await pushManifest(`${registry.directHost}/team/app:v1`)
    for (const tag of ['v2', 'v3']) await copy(`${repository}:v1`, `${repository}:${tag}`)
    const listed = await runCli(['tags', repository], { cwd: '/' })
    expect(listed).toMatchObject({ exitCode: 0, stdout: 'v1\nv2\nv3\n', stderr: '' })
    const none = await runCli(['tags', `${registry.host}/team/none`], { cwd: '/' })
    // olareg knows no repository that is not there: it has no tags.
    expect(none).toMatchObject({ exitCode: name === 'olareg' ? 0 : 1, stdout: '' })
  })

  test('one platform is a smaller index that others read, with its attestation', async () => {
    await using registry = await start()
    const from = `${registry.host}/team/app:v1`
    await pushAttestedIndex(from)
    const whole = await indexAt(from)
    const to = `${registry.host}/small/app:v1`
    const { digest } = await copy(from, to, '--platforms', 'linux/arm64')
    const small = await indexAt(to)
    expect(await digestOf(to)).toBe(digest)
    const arm = whole.manifests.find(({ platform }) => platform?.['architecture'] === 'arm64')
    expect(small.manifests.map(({ platform }) => platform)).toEqual([
      { os: 'linux', architecture: 'arm64' },
      { os: 'unknown', architecture: 'unknown' },
    ])
    expect(small.manifests[0]).toEqual(arm)

    await pushIndex(`${registry.host}/plain/app:v1`)
    await copy(`${registry.host}/plain/app:v1`, `${registry.host}/small/plain`, '--platforms', 'linux/arm64')
    await craneValidate(`${registry.host}/small/plain:v1`)
    const lacking = await runCli(['copy', from, to, '--platforms', 'linux/s390x'], { cwd: '/' })
    expect(lacking.exitCode).toBe(2)
    expect(lacking.stderr).toContain('lacks linux/s390x; it has linux/amd64, linux/arm64')
  })
})

describe('all tags', () => {
  const named = (name: string) => {
    const found = REGISTRIES.find(one => one.name === name)
    if (!found) throw new Error(`there is no ${name}`)
    return found
  }

  test('go from distribution 2.8 to 3 and to a layout, what they share once, one that fails alone', async () => {
    await using registry = await named('docker-registry 2.8').start()
    await using other = await named('distribution 3').start()
    await using work = await temporaryDirectory()
    const from = `${registry.host}/team/app`
    await pushIndex(`${from}:v1`)
    await pushManifest(`${from}:one`)
    await copy(`${from}:v1`, `${from}:v2`)
    const all = ['copy', '--all-tags', '--json']

    const whole = await runCli([...all, from, `${other.host}/all/app`], { cwd: work.path })
    expect(whole).toMatchObject({ exitCode: 0 })
    for (const tag of ['v1', 'v2', 'one']) {
      expect(await digestOf(`${other.host}/all/app:${tag}`)).toBe(await digestOf(`${from}:${tag}`))
      await craneValidate(`${other.host}/all/app:${tag}`)
    }
    const puts = other.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/blobs/'))
    const { targets } = JSON.parse(whole.stdout) as { targets: readonly [{ sent: Tally; tags: readonly string[] }] }
    expect([...targets[0].tags].sort()).toEqual(['one', 'v1', 'v1-linux-amd64', 'v1-linux-arm64', 'v2'])
    expect(puts.length).toBeLessThan(targets[0].sent.count)

    const seen = other.requests.length
    expect((await runCli([...all, from, `${other.host}/all/app`], { cwd: work.path })).exitCode).toBe(0)
    expect(other.requests.slice(seen).filter(({ path }) => path.includes('/blobs/'))).toEqual([])

    const layout = join(work.path, 'layout')
    const some = await runCli([...all, `${other.host}/all/app`, `oci:${layout}`, '--platforms', 'linux/arm64'], {
      cwd: work.path,
    })
    expect(some).toMatchObject({ exitCode: 1 })
    expect(some.stderr).toContain(`error: ${other.host}/all/app:one was not copied: `)
    for (const tag of ['v1', 'v2']) {
      const { manifests } = JSON.parse(await run('skopeo', ['inspect', '--raw', `oci:${layout}:${tag}`])) as Index
      expect(manifests.map(({ platform }) => platform?.['architecture'])).toEqual(['arm64'])
    }

    const back = await runCli([...all, `oci:${layout}`, `${registry.host}/back/app`], { cwd: work.path })
    expect(back).toMatchObject({ exitCode: 0 })
    expect((await run('crane', ['ls', `${registry.host}/back/app`])).split('\n')).toEqual(
      expect.arrayContaining(['v1', 'v2']),
    )
    await craneValidate(`${registry.host}/back/app:v1`)
  })
})

describe('on a line that cuts every fifth transfer', () => {
  const IMAGES = 20
  const LAYER_BYTES = 4 << 20

  test('20 publications are all there and right, and little is sent twice', async () => {
    await using registry = await startRegistry()
    await using proxy = await startCuttingProxy(registry.directHost, { every: 5, bytes: 256 << 10 })
    await using work = await temporaryDirectory()
    let needed = 0
    let sent = 0
    for (let i = 0; i < IMAGES; i++) {
      await mkdir(join(work.path, `app${i}`))
      for (const name of ['one', 'two']) await writeFile(join(work.path, `app${i}/${name}`), randomBytes(LAYER_BYTES))
      const image = `${proxy.host}/team/app${i}:v1`
      const layers = ['one', 'two'].flatMap(name => ['--layers', `app${i}/${name}:/${name}`])
      const { platforms, targets, digest } = await publishWithCli(['--images', image, ...layers], { cwd: work.path })
      const [platform] = platforms
      if (!platform) throw new Error('an image is for a platform')
      // The manifest goes by its digest and once more by its tag.
      const parts = [...platform.layers, platform.config, platform, platform]
      needed += parts.reduce((sum, { size }) => sum + size, 0)
      sent += targets[0]?.sent.bytes ?? 0
      expect(await digestOf(`${registry.directHost}/team/app${i}:v1`)).toBe(digest)
      await craneValidate(`${registry.directHost}/team/app${i}:v1`)
    }
    const { cuts, transfers, sentBytes } = proxy
    expect(cuts).toBeGreaterThanOrEqual(IMAGES / 4)
    const ratio = sentBytes / needed
    const told = `${cuts} of ${transfers} transfers cut; ${needed} bytes needed, ${sentBytes} on the wire`
    process.stdout.write(`${IMAGES} publications: ${told}: ${ratio.toFixed(3)}; counted by ourselves: ${sent}\n`)
    expect(ratio).toBeLessThan(1.3)
  })
})
