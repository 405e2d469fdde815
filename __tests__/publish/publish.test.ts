import type { PublishReport } from '../../src/publish/report.ts'
import { pushBase, type PushedBase } from '../support/base-image.ts'
import { startSpecRegistry, type SpecRegistry } from '../support/spec-registry.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

const ROOT = [
  { path: 'bin', type: 'symlink', link: 'usr/bin' },
  { path: 'etc', type: 'directory' },
  { path: 'etc/passwd', text: 'root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/:/bin/sh\n' },
  { path: 'usr', type: 'directory' },
  { path: 'usr/bin', type: 'directory' },
] as const

/** A base for two platforms, whose `/bin` is a symlink as on every system of today. */
function pushOs({ url }: SpecRegistry): Promise<PushedBase> {
  return pushBase(
    { url, repository: 'base/os', tag: '1' },
    ['amd64', 'arm64'].map(architecture => ({
      architecture,
      layers: [ROOT, [{ path: 'usr/bin/sh', text: `sh for ${architecture}`, mode: 0o755 }]],
      config: { Env: ['PATH=/usr/bin'], Cmd: ['sh'] },
    })),
  )
}

function putProject(workshop: Workshop): void {
  workshop.put({
    'dist/amd64/tool': { text: 'a tool for amd64', mode: 0o755 },
    'dist/arm64/tool': { text: 'a tool for arm64', mode: 0o755 },
    'assets/index.html': '<h1>hello</h1>',
    'assets/img/logo.svg': '<svg/>',
    'app.conf': 'answer = 42\n',
  })
}

const PROJECT = {
  tags: ['v1'],
  platforms: ['linux/amd64,linux/arm64'],
  layers: ['dist/{arch}/tool:/bin/tool', 'assets/:/srv/www/', 'app.conf:/etc/app.conf'],
  entrypoint: ['tool'],
} as const

const onBase = (registry: SpecRegistry, images: readonly string[] = [`${registry.host}/team/app`]): object => ({
  ...PROJECT,
  images,
  'base-image': `${registry.host}/base/os:1`,
})

/** `PUT manifests/v1`, in the order of their arrival: what changes something, since a mark. */
function writes({ requests }: SpecRegistry, since = 0): readonly string[] {
  return requests
    .slice(since)
    .filter(({ method }) => !['GET', 'HEAD'].includes(method))
    .map(({ method, path }) => `${method} ${path}`)
}

interface Document {
  readonly mediaType: string
  readonly manifests: readonly { readonly digest: string; readonly platform: object }[]
  readonly layers: readonly { readonly digest: string }[]
  readonly annotations?: Readonly<Record<string, string>>
}

function document(registry: SpecRegistry, reference: string, repository = 'team/app'): Document {
  return JSON.parse(registry.manifest(repository, reference)?.bytes.toString() ?? '{}') as Document
}

test('two platforms over a base become an index that has the base below and every layer on top', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  putProject(workshop)
  const base = await pushOs(registry)
  const { report } = await workshop.publish(onBase(registry))

  expect(registry.tags('team/app')).toEqual(new Map([['v1', report.digest]]))
  const index = document(registry, 'v1')
  expect(index.manifests.map(({ platform }) => platform)).toEqual([
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64' },
  ])
  const layers = index.manifests.map(({ digest }) => document(registry, digest).layers.map(one => one.digest))
  expect(layers.map(all => all.slice(0, 2))).toEqual(base.layers)
  expect(layers.map(all => all.length)).toEqual([5, 5])
  expect(layers[0]?.slice(3)).toEqual(layers[1]?.slice(3))
  expect(layers[0]?.[2]).not.toBe(layers[1]?.[2])
  expect(report.base).toEqual({ name: `${registry.host}/base/os:1`, digest: base.digest })
  expectSent(report, { sent: 4 + 2 + 2 + 1, mounted: 3 })
})

function expectSent({ targets }: PublishReport, counts: { readonly sent: number; readonly mounted: number }): void {
  expect(targets.map(({ sent, mounted }) => ({ sent: sent.count, mounted: mounted.count }))).toEqual([counts])
}

test('publishing the same again asks and sends nothing', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  putProject(workshop)
  await pushOs(registry)
  const first = await workshop.publish(onBase(registry))
  const mark = registry.requests.length
  const second = await workshop.publish(onBase(registry))
  expect(second.report.digest).toBe(first.report.digest)
  expect(writes(registry, mark)).toEqual([])
})
