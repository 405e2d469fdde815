import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { messageOf, type OciPublishError } from '../../src/errors.ts'
import { readChart } from '../../src/artifact/helm/read-chart.ts'
import { packageChart } from '../../src/artifact/helm/package-chart.ts'
import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'
import { packageAt } from './chart-registry.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

function put(workshop: Workshop, dependencies: string, more: Readonly<Record<string, string>> = {}): void {
  workshop.put({
    'web/Chart.yaml': `apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n${dependencies}`,
    ...more,
  })
}

/** Publishes some versions of the chart `sub` below a repository. */
async function pushVersions(workshop: Workshop, registry: SpecRegistry, versions: readonly string[]): Promise<void> {
  workshop.put({ 'sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 0.0.0\n', 'sub/values.yaml': 'a: 1\n' })
  for (const version of versions) {
    await workshop.publish({ chart: 'sub', 'chart-version': version, images: `${registry.host}/deps` })
  }
}

async function filesOf(registry: SpecRegistry, repository = 'charts/web', tag = '1.0.0'): Promise<string> {
  const archive = await packageAt(registry, repository, tag)
  return gunzipSync(archive).toString('latin1')
}

describe('chart-dependencies', () => {
  test.each([
    ['update', '^1', '1.10.0'],
    ['update', '>=1.0.0, <1.2', '1.1.0+b'],
    ['build', '1.1.0+b', '1.1.0+b'],
  ])('%s takes the version that %s means from a registry: %s', async (mode, range, version) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    await pushVersions(workshop, registry, ['1.0.0', '1.1.0+b', '1.10.0', '2.0.0'])
    put(workshop, `- {name: sub, version: "${range}", repository: "oci://${registry.host}/deps"}\n`)
    const values = { chart: 'web', images: `${registry.host}/charts`, 'chart-dependencies': mode }
    const { report } = await workshop.publish(values)
    const files = await filesOf(registry)
    expect(files).toContain(`web/charts/sub-${version}.tgz`)
    expect(files).toContain(`version: "${version}"\ndigest: sha256:`)
    const again = await workshop.publish(values)
    expect(again.report.digest).toBe(report.digest)
  })

  test.each([
    ['v1.2.3', 'v1.2.3'],
    [' v1.2.3', 'v1.2.3'],
    ['1.2', '1.2'],
    ['1.2.3-rc.1', '1.2.3-rc.1'],
    ['1.1.0+b.1', '1.1.0+b.1'],
    ['>=1.0.0', '1.5.0'], // a range finds strict versions only
  ])('the version %j of a registry is the chart %s, as helm has it', async (range, version) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    await pushVersions(workshop, registry, ['v1.2.3', '1.2', '1.2.3-rc.1', '1.1.0+b.1', '1.5.0', 'v9.0.0'])
    put(workshop, `- {name: sub, version: "${range}", repository: "oci://${registry.host}/deps"}\n`)
    await workshop.publish({ chart: 'web', images: `${registry.host}/charts`, 'chart-dependencies': 'update' })
    expect(await filesOf(registry)).toContain(`web/charts/sub-${version}.tgz`)
  })

  test.each([
    ['1.5', 'write ^1.5 or 1.5.x'],
    ['v1', 'write ^v1 or v1.x'],
    ['1.5.1', ''],
    ['v1.5.0', ''],
  ])('the version %j that a registry lacks is not another one (%s)', async (version, hint) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    await pushVersions(workshop, registry, ['1.5.0'])
    put(workshop, `- {name: sub, version: "${version}", repository: "oci://${registry.host}/deps"}\n`)
    const values = { chart: 'web', images: `${registry.host}/charts`, 'chart-dependencies': 'update' }
    const error = await workshop.publish(values).catch((thrown: unknown) => thrown)
    expect(messageOf(error)).toContain(`the dependency sub ${version} cannot be had`)
    expect((error as OciPublishError).hint ?? '').toContain(hint)
  })

  test('off, a dependency that is not there is an error, and is not looked for', async () => {
    using workshop = openWorkshop()
    put(workshop, '- {name: sub, version: ^1, repository: "oci://127.0.0.1:1/deps"}\n')
    const published = workshop.publish({ chart: 'web', images: '127.0.0.1:1/charts' })
    await expect(published).rejects.toThrow('charts/ has no chart "sub", a dependency of web')
  })

  test('build takes what Chart.lock has chosen, also where there is a newer one', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    await pushVersions(workshop, registry, ['1.0.0'])
    const repository = `oci://${registry.host}/deps`
    put(workshop, `- {name: sub, version: ^1, repository: "${repository}"}\n`)
    const wanted = [{ name: 'sub', version: '^1', repository }]
    const chosen = [{ name: 'sub', version: '1.0.0', repository }]
    const digest = createHash('sha256')
      .update(JSON.stringify([wanted, chosen]))
      .digest('hex')
    workshop.put({ 'web/Chart.lock': JSON.stringify({ dependencies: chosen, digest: `sha256:${digest}` }) })
    await pushVersions(workshop, registry, ['1.1.0'])
    await workshop.publish({ chart: 'web', images: `${registry.host}/charts`, 'chart-dependencies': 'build' })
    expect(await filesOf(registry)).toContain('web/charts/sub-1.0.0.tgz')

    put(workshop, `- {name: sub, version: ^2, repository: "${repository}"}\n`)
    await expect(
      workshop.publish({ chart: 'web', images: `${registry.host}/charts`, 'chart-dependencies': 'build' }),
    ).rejects.toMatchObject({ code: 'LOCK_OUTDATED', hint: expect.stringContaining('update') as string })
  })

  test('folders beside the chart are packaged, without touching the chart', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    workshop.put({ 'sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 1.5.0\n' })
    put(workshop, '- {name: sub, version: ^1, repository: "file://../sub"}\n')
    const { events } = await workshop.publish({
      ...{ chart: 'web', images: `${registry.host}/charts`, 'chart-dependencies': 'update' },
    })
    expect(await filesOf(registry)).toContain('web/charts/sub-1.5.0.tgz')
    expect(events).toContainEqual({
      type: 'notice',
      text: expect.stringContaining('dependencies: sub 1.5.0') as string,
    })
    await expect(readChart(`${workshop.context}/web`)).rejects.toThrow('charts/ has no chart "sub"')
  })

  test.each([
    ['is taken when its digest is that of the index', true, 'published'],
    ['is refused when it is not', false, 'expected sha256:'],
  ])('a package of a classic repository %s', async (_name, isRight, outcome) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    workshop.put({ 'sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 1.5.0\n' })
    const content = await packageChart(await readChart(`${workshop.context}/sub`))
    const chunks: Uint8Array[] = []
    for await (const chunk of content.open()) chunks.push(chunk)
    const hex = isRight ? content.descriptor.digest.slice('sha256:'.length) : '0'.repeat(64)
    const index = `apiVersion: v1\nentries:\n  sub:\n  - {version: 1.5.0, digest: "${hex}", urls: [files/sub.tgz]}\n  - {version: 1}\n`
    const answers: Readonly<Record<string, string | Buffer>> = {
      '/charts/index.yaml': index,
      '/charts/files/sub.tgz': Buffer.concat(chunks),
    }
    const server = createServer((request, response) => {
      const body = answers[request.url ?? '']
      response.writeHead(body === undefined ? 404 : 200).end(body)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const { port } = server.address() as AddressInfo
      put(workshop, `- {name: sub, version: ^1, repository: "http://127.0.0.1:${port}/charts"}\n`)
      const values = { chart: 'web', images: `${registry.host}/charts`, 'chart-dependencies': 'update' }
      const said = await workshop.publish(values).then(() => 'published', messageOf)
      expect(said).toContain(outcome)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  test.each([
    ['@stable', 'is not oci://, https:// or file://'],
    ['oci://127.0.0.1:1/deps', 'the dependency sub ^1 cannot be had from oci://127.0.0.1:1/deps'],
    ['file://../nothing', 'the dependency sub ^1 cannot be had from file://../nothing'],
    ['http://127.0.0.1:1/', 'the dependency sub ^1 cannot be had from http://127.0.0.1:1/'],
  ])('a dependency from %s fails by name', async (repository, said) => {
    using workshop = openWorkshop()
    put(workshop, `- {name: sub, version: ^1, repository: "${repository}"}\n`)
    const values = { chart: 'web', images: '127.0.0.1:1/charts', 'chart-dependencies': 'update' }
    await expect(workshop.publish(values, { impatient: true })).rejects.toThrow(said)
  })
})
