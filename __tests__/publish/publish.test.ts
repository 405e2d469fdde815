import { readFileSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import type { PublishReport } from '../../src/publish/report.ts'
import { startSpecRegistry } from '../../conformance/server/registry.ts'
import { document, onBase, pathsIn, pushOs, putProject, writes } from './project.ts'
import { openWorkshop, type Published } from './workshop.ts'

function expectSent({ targets }: PublishReport, counts: { readonly sent: number; readonly mounted: number }): void {
  expect(targets.map(({ sent, mounted }) => ({ sent: sent.count, mounted: mounted.count }))).toEqual([counts])
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
  expect(registry.openUploads).toBe(0)
})

test('a file for /bin lands in usr/bin, where /bin of the base points, and does not replace the link', async () => {
  await using registry = await startSpecRegistry()
  using workshop = openWorkshop()
  putProject(workshop)
  await pushOs(registry)
  const { report } = await workshop.publish(onBase(registry))
  expect(await pathsIn(registry, report.platforms[0]?.layers[2]?.digest ?? '')).toEqual([
    'usr',
    'usr/bin',
    'usr/bin/tool',
  ])
})

/** Where the layers of the first platform come from: what is known is not compressed again. */
function originsOf({ report }: Published): readonly string[] | undefined {
  return report.platforms[0]?.layers.map(({ origin }) => origin)
}

const KNOWN = ['base', 'base', 'cached', 'cached', 'cached']
const MADE = ['base', 'base', 'assembled', 'assembled', 'assembled']

describe('publishing again', () => {
  test('sends nothing where nothing has changed, not even after the cache was lost', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(registry)
    const first = await workshop.publish(onBase(registry))
    const mark = registry.requests.length
    const second = await workshop.publish(onBase(registry))
    const third = await workshop.publish({ ...onBase(registry), 'cache-dir': workshop.at('other') })
    expect([second.report.digest, third.report.digest]).toEqual([first.report.digest, first.report.digest])
    expect(writes(registry, mark)).toEqual([])
    expectSent(second.report, { sent: 0, mounted: 0 })
    expect([second, third].map(originsOf)).toEqual([KNOWN, KNOWN])
  })

  test('sends one layer, and the documents that name it, where one file has changed', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(registry)
    await workshop.publish(onBase(registry))
    const mark = registry.requests.length
    workshop.put({ 'assets/index.html': '<h1>hello again</h1>' })
    const { report } = await workshop.publish(onBase(registry))
    const [layer] = report.platforms[0]?.layers.filter(({ origin }) => origin === 'assembled') ?? []
    const configs = report.platforms.map(({ config }) => config.digest)
    const manifests = report.platforms.map(({ digest }) => digest)

    const sent = registry.requests.slice(mark).filter(({ method }) => method === 'PUT')
    const blobs = sent.flatMap(({ query }) => query.get('digest') ?? [])
    expect(new Set(blobs)).toEqual(new Set([layer?.digest, ...configs]))
    expect(blobs).toHaveLength(3)
    const named = sent.flatMap(({ path }) => /manifests[/](.*)/.exec(path)?.[1] ?? [])
    expect([new Set(named.slice(0, 2)), ...named.slice(2)]).toEqual([new Set(manifests), report.digest, 'v1'])
    expect(writes(registry, mark).filter(line => line.startsWith('P'))).toHaveLength(3 + 3 + 4)
    expect(registry.tags('team/app').get('v1')).toBe(report.digest)
  })

  test('sends again what the registry has lost, whatever is remembered of it', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(registry)
    const { report } = await workshop.publish(onBase(registry))
    const manifests = [report.digest, ...report.platforms.map(({ digest }) => digest)]
    const blobs = report.platforms.flatMap(({ config, layers }) => [
      config.digest,
      ...layers.map(({ digest }) => digest),
    ])
    const gone = [...manifests.map(one => `manifests/${one}`), ...[...new Set(blobs)].map(one => `blobs/${one}`)]
    for (const one of gone) {
      const { status } = await fetch(new URL(`/v2/team/app/${one}`, registry.url), { method: 'DELETE' })
      expect(status).toBe(202)
    }
    const again = await workshop.publish(onBase(registry))
    expect(again.report.digest).toBe(report.digest)
    expect(registry.tags('team/app').get('v1')).toBe(report.digest)
    expectSent(again.report, { sent: 9, mounted: 3 })
  })

  test('under a tag that is new moves the tag and sends no layer', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(registry)
    await workshop.publish(onBase(registry))
    const mark = registry.requests.length
    const known = await workshop.publish({ ...onBase(registry), tags: ['v2'] })
    const unknown = await workshop.publish({ ...onBase(registry), tags: ['v3'], 'cache-dir': workshop.at('other') })
    // That manifests are found is no proof that they are in this repository, so they are sent before the tag.
    const sent = writes(registry, mark).filter(one => !one.includes('/manifests/sha256:'))
    expect(sent).toEqual(['v2', 'v3'].map(tag => `PUT /v2/team/app/manifests/${tag}`))
    expect(originsOf(known)).toEqual(KNOWN)
    expect(originsOf(unknown)).toEqual(MADE)
  })
})

describe('the digest is the same', () => {
  test('at several registries at once, whichever has the base', async () => {
    await using one = await startSpecRegistry()
    await using other = await startSpecRegistry({ multiTag: false, location: 'absolute' })
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(one)
    const images = [`${one.host}/team/app`, `${other.host}/group/app`]
    const { report } = await workshop.publish(onBase(one, images, { tags: ['v1', 'latest'] }))
    const tags = new Map(['latest', 'v1'].map(tag => [tag, report.digest]))
    expect([new Map(one.tags('team/app')), new Map(other.tags('group/app'))]).toEqual([tags, tags])
    expect(report.targets.map(({ mounted }) => mounted.count)).toEqual([3, 0])
  })

  test('in the layout that is written when nothing is pushed', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(registry)
    const mark = registry.requests.length
    const unpushed = await workshop.publish(onBase(registry, undefined, { push: 'false' }))
    expect(writes(registry, mark)).toEqual([])
    const index = JSON.parse(readFileSync(join(workshop.layout, 'index.json'), 'utf8')) as {
      manifests: { digest: string }[]
    }
    expect(index.manifests.map(({ digest }) => digest)).toEqual([unpushed.report.digest])
    const pushed = await workshop.publish(onBase(registry))
    expect(pushed.report.digest).toBe(unpushed.report.digest)
  })

  test('from another directory, under another umask, at another time, in another country', async () => {
    await using registry = await startSpecRegistry()
    await pushOs(registry)
    using workshop = openWorkshop()
    putProject(workshop)
    const { report } = await workshop.publish(onBase(registry))
    const { TZ, LANG } = process.env
    const umask = process.umask(0o077)
    try {
      const env = { TZ: 'Pacific/Chatham', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' }
      process.env['TZ'] = env.TZ
      process.env['LANG'] = env.LANG
      using elsewhere = openWorkshop()
      putProject(elsewhere)
      utimesSync(join(elsewhere.context, 'app.conf'), 1_000_000, 1_000_000)
      const there = await elsewhere.publish(onBase(registry, [`${registry.host}/team/other`]), { env })
      expect(there.report.digest).toBe(report.digest)
      expectSent(there.report, { sent: 9, mounted: 3 })
    } finally {
      process.umask(umask)
      restore({ TZ, LANG })
    }
  })
})

function restore(env: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(env)) {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- undefined would become a text
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}

describe('a dry run', () => {
  const did = ({ events }: Published): Map<string, string> =>
    new Map(
      events.flatMap(event => {
        if (event.type === 'blob-done') return [[event.blob.digest, event.how] as const]
        return event.type === 'manifest-done' ? [[event.manifest.digest, event.how] as const] : []
      }),
    )

  test('changes nothing, and says what the run then does', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(registry)
    const mark = registry.requests.length
    const dry = await workshop.publish(onBase(registry, undefined, { 'dry-run': 'true' }))
    expect(writes(registry, mark)).toEqual([])
    expect(registry.tags('team/app')).toEqual(new Map())
    const wet = await workshop.publish(onBase(registry))
    expect(wet.report.digest).toBe(dry.report.digest)
    const how = { keep: 'exists', 'mount?': 'mounted', send: 'uploaded' } as const
    const planned = dry.report.targets[0]?.steps?.map(step => [step.descriptor.digest, how[step.do]] as const)
    expect(new Map(planned)).toEqual(did(wet))
  })

  test('of what is there plans nothing', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(registry)
    await workshop.publish(onBase(registry))
    const { report } = await workshop.publish(onBase(registry, undefined, { 'dry-run': 'true' }))
    expect(new Set(report.targets[0]?.steps?.map(step => step.do))).toEqual(new Set(['keep']))
  })
})

describe('tags', () => {
  test('move only when everything is on every target', async () => {
    await using registry = await startSpecRegistry({ multiTag: false })
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(registry)
    const mark = registry.requests.length
    const images = ['team/app', 'team/other'].map(name => `${registry.host}/${name}`)
    const { report } = await workshop.publish(onBase(registry, images, { tags: ['v1', 'latest'] }))
    const lines = writes(registry, mark)
    const first = lines.findIndex(line => /manifests[/](?:v1|latest)$/.test(line))
    const moves = lines.slice(first).filter(line => !line.endsWith(report.digest))
    expect(moves.every(line => /^PUT .*[/]manifests[/]/.test(line))).toBe(true)
    const roots = lines.slice(0, first).filter(line => line.endsWith(report.digest))
    expect(new Set(roots).size).toBe(2)
    expect(moves).toHaveLength(4)
  })

  test.each([
    ['the image', { method: 'PUT', path: '/manifests/' }],
    ['every layer', { method: 'POST' }],
  ])('stay where they are on every registry when one of them refuses %s', async (_what, match) => {
    await using one = await startSpecRegistry()
    await using other = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(one)
    const before = await workshop.publish(onBase(one))
    workshop.put({ 'app.conf': 'answer = 43\n' })
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'not today' }] })
    other.fail({ ...match, times: 100 }, { status: 403, body })
    const images = [`${one.host}/team/app`, `${other.host}/team/app`]
    const error = await workshop.publish(onBase(one, images)).catch((thrown: unknown) => thrown)
    for (const { message } of error instanceof AggregateError ? (error.errors as Error[]) : [error as Error]) {
      expect(message).toMatch(new RegExp(`${other.host}.*DENIED not today`))
    }
    expect(one.tags('team/app')).toEqual(new Map([['v1', before.report.digest]]))
    expect(other.tags('team/app')).toEqual(new Map())
    expect([one.openUploads, other.openUploads]).toEqual([0, 0])
  })

  test('that moved on one registry and not on another are told apart', async () => {
    await using one = await startSpecRegistry()
    await using other = await startSpecRegistry({ multiTag: false })
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(one)
    const body = JSON.stringify({ errors: [{ code: 'TAG_INVALID', message: 'protected' }] })
    other.fail({ method: 'PUT', path: '/manifests/v1', times: 100 }, { status: 400, body })
    const images = [`${one.host}/team/app`, `${other.host}/team/app`]
    const running = workshop.publish(onBase(one, images, { tags: ['v1', 'v2'] }))
    await expect(running).rejects.toMatchObject({ code: 'TAGS_NOT_MOVED', moved: ['v2'], failed: ['v1'] })
    await expect(running).rejects.toThrow(`${other.host}/team/app: could not tag v1 (moved: v2)`)
    expect([...one.tags('team/app').keys()]).toEqual(['v1', 'v2'])
  })
})
