import { allOrErrors } from '../../src/async/all-or-errors.ts'
import { copyGraph } from '../../src/copy/copy.ts'
import { MemoryStore } from '../../src/content/memory.ts'
import type { Target } from '../../src/content/ports.ts'
import { withPush } from '../../src/content/with-push.ts'
import { parseMountSource } from '../../src/publish/parse-mount-source.ts'
import type { PreparedTarget } from '../../src/publish/prepare.ts'
import { shareHosts } from '../../src/publish/share-hosts.ts'
import type { InputProblem } from '../../src/errors.ts'
import { multiPlatform } from '../copy/sample.ts'
import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'
import { onBase, PROJECT, pushOs, putProject } from './project.ts'
import { openWorkshop } from './workshop.ts'

/** Blobs by how they came to a registry: `PUT` or the repository that they were mounted from, sorted, for each digest. */
function arrivals({ requests }: SpecRegistry, since = 0): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const { method, path, query, status } of requests.slice(since)) {
    if (status !== 201 || !path.includes('/blobs/uploads/')) continue
    const repository = /^[/]v2[/](.*)[/]blobs[/]/.exec(path)?.[1] ?? ''
    const digest = query.get('mount') ?? query.get('digest') ?? ''
    const how = method === 'POST' ? `${repository} from ${query.get('from') ?? ''}` : `${repository} PUT`
    found.set(digest, [...(found.get(digest) ?? []), how].sort())
  }
  return found
}

describe('two images on one registry', () => {
  test('every blob goes over the wire once, and is mounted where it is wanted too', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    const images = [`${registry.host}/team/a`, `${registry.host}/team/b`]
    const { report } = await workshop.publish({ ...PROJECT, images })
    expect([...arrivals(registry).values()]).toEqual(Array(4 + 2).fill(['team/a PUT', 'team/b from team/a']))
    expect(report.targets.map(({ sent, mounted }) => [sent.count, mounted.count])).toEqual([
      [4 + 2 + 3, 0],
      [3, 4 + 2],
    ])
    for (const one of ['team/a', 'team/b']) expect(registry.tags(one).get('v1')).toBe(report.digest)
  })

  test('a registry that never mounts takes every blob twice, and nothing fails', async () => {
    await using registry = await startSpecRegistry({ mount: false })
    using workshop = openWorkshop()
    putProject(workshop)
    const images = [`${registry.host}/team/a`, `${registry.host}/team/b`]
    const { report } = await workshop.publish({ ...PROJECT, images })
    expect([...arrivals(registry).values()]).toEqual(Array(4 + 2).fill(['team/a PUT', 'team/b PUT']))
    expect(registry.tags('team/b').get('v1')).toBe(report.digest)
  })

  test('layers of the base come from there once, and from then on from anywhere', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    const base = await pushOs(registry)
    const mark = registry.requests.length
    const images = [`${registry.host}/team/a`, `${registry.host}/team/b`]
    await workshop.publish(onBase(registry, images))
    const seen = arrivals(registry, mark)
    for (const layer of new Set(base.layers.flat())) {
      expect(seen.get(layer)).toEqual(['team/a from base/os', 'team/b from team/a'])
    }
  })

  test('an image that is new takes from the one that is there, whichever is named first', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await workshop.publish({ ...PROJECT, images: [`${registry.host}/team/old`] })
    const mark = registry.requests.length
    await workshop.publish({ ...PROJECT, images: [`${registry.host}/team/new`, `${registry.host}/team/old`] })
    const layers = [...arrivals(registry, mark).values()].filter(([how]) => how?.includes('from'))
    expect(layers).toEqual(Array(4).fill(['team/new from team/old']))
  })

  test('a dry run knows that the second has from the first what that one sends', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    const images = [`${registry.host}/team/a`, `${registry.host}/team/b`]
    const { report } = await workshop.publish({ ...PROJECT, images, 'dry-run': 'true' })
    expect(report.targets.map(({ sent, mounted }) => [sent.count, mounted.count])).toEqual([
      [4 + 2 + 3, 0],
      [3, 4 + 2],
    ])
    expect(arrivals(registry).size).toBe(0)
  })

  test('different registries do not mount from each other', async () => {
    await using one = await startSpecRegistry()
    await using other = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await workshop.publish({ ...PROJECT, images: [`${one.host}/team/a`, `${other.host}/team/a`] })
    for (const registry of [one, other]) {
      expect([...arrivals(registry).values()]).toEqual(Array(4 + 2).fill(['team/a PUT']))
    }
  })
})

describe('a base', () => {
  test.each([
    ['on the same host is mounted from its repository', true],
    ['on another host is not mounted: that name may belong to somebody else on this host', false],
  ])('%s', async (_, same) => {
    await using registry = await startSpecRegistry()
    await using other = await startSpecRegistry()
    using workshop = openWorkshop()
    const from = same ? registry : other
    await pushOs(from)
    await workshop.publish(onBase(from, [`${registry.host}/team/app`], { layers: [] }))
    const asked = registry.requests.flatMap(({ query }) => query.get('from') ?? [])
    expect(new Set(asked)).toEqual(new Set(same ? ['base/os'] : []))
  })
})

describe('mount-from', () => {
  test('layers that are there under another name are not sent, nothing else is asked for', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await workshop.publish({ ...PROJECT, images: [`${registry.host}/team/dev`] })
    const mark = registry.requests.length
    const images = [`${registry.host}/team/app`]
    await workshop.publish({ ...PROJECT, images, 'mount-from': ['team/dev'], 'cache-dir': workshop.at('other') })
    const seen = [...arrivals(registry, mark).values()]
    expect(seen.filter(([how]) => how === 'team/app from team/dev')).toHaveLength(4)
    expect(seen.filter(([how]) => how === 'team/app PUT')).toHaveLength(2) // the configs
  })

  test('a repository that has nothing, or is on another host, costs nothing', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    const images = [`${registry.host}/team/app`]
    await workshop.publish({ ...PROJECT, images, 'mount-from': ['ghcr.io/team/dev', 'team/none'] })
    expect([...arrivals(registry).values()]).toEqual(Array(4 + 2).fill(['team/app PUT']))
    const asked = registry.requests.map(({ query }) => query.get('from')).filter(from => from !== null)
    expect(new Set(asked)).toEqual(new Set(['team/none']))
    expect(registry.openUploads).toBe(0)
  })

  test.each([
    ['team/base', { host: undefined, repository: 'team/base' }],
    ['ghcr.io/team/base', { host: 'ghcr.io', repository: 'team/base' }],
    ['localhost:5000/base', { host: 'localhost:5000', repository: 'base' }],
    ['base', { host: undefined, repository: 'base' }],
  ])('%s', (text, source) => {
    const problems: InputProblem[] = []
    expect(parseMountSource(text, problems)).toEqual([source])
    expect(problems).toEqual([])
  })

  test.each(['ghcr.io/team/base:v1', 'Team/base', 'oci:out'])('%s is refused', text => {
    const problems: InputProblem[] = []
    expect(parseMountSource(text, problems)).toEqual([])
    expect(problems).toMatchObject([{ input: 'mount-from' }])
  })
})

describe('shareHosts()', () => {
  const output = (repository: string) =>
    ({ kind: 'registry', image: { kind: 'registry', host: 'r.example', repository }, tags: [] }) as const

  /** A target on `r.example` whose first pushes of a blob fail as often as is said. */
  function targetOf(repository: string, log: string[], failures = 0): PreparedTarget {
    const store: Target = Object.assign(new MemoryStore(repository), { mountDomain: 'r.example' })
    let left = failures
    const target = withPush(store, async (blob, options) => {
      log.push(`${repository} from ${options?.mountFrom?.join() ?? 'nowhere'}`)
      await new Promise(setImmediate)
      if (left-- > 0) throw new Error(`${repository} is down`)
      return store.push(blob)
    })
    return { output: output(repository), target, previous: { tags: new Map(), images: [], signed: [] } }
  }

  const [layer] = multiPlatform().blobs
  if (!layer) throw new Error('an image has a layer')

  test('where the first fails, the next one sends, and the last has it from there', async () => {
    const log: string[] = []
    const shared = shareHosts([targetOf('a', log, 1), targetOf('b', log), targetOf('c', log)])
    const settled = await Promise.allSettled(shared.map(({ target }) => target.push(layer)))
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
    expect(log).toEqual(['a from nowhere', 'b from nowhere', 'c from b'])
  })

  test('what failed may be tried again, and is mounted then', async () => {
    const log: string[] = []
    const [a, b] = shareHosts([targetOf('a', log, 1), targetOf('b', log)])
    await Promise.allSettled([a?.target.push(layer), b?.target.push(layer)])
    await a?.target.push(layer)
    expect(log.at(-1)).toBe('a from b')
  })

  test('copies that wait for each other do not wait for ever', async () => {
    const log: string[] = []
    const { root, contentOf } = multiPlatform()
    const shared = shareHosts(['a', 'b', 'c', 'd'].map(name => targetOf(name, log)))
    await allOrErrors(shared.map(({ target }) => copyGraph(contentOf, root.descriptor, target, { concurrency: 1 })))
    expect(log.filter(line => /^[a-d] from [a-d]$/.test(line))).toHaveLength(3 * 5)
  })

  test('an abort ends the wait with its own reason', async () => {
    const log: string[] = []
    const controller = new AbortController()
    const [a, b] = shareHosts([targetOf('a', log, 1), targetOf('b', log)])
    const first = a?.target.push(layer)
    const second = b?.target.push(layer, { signal: controller.signal })
    const reason = new Error('stopped by SIGINT')
    controller.abort(reason)
    await expect(first).rejects.toThrow('a is down')
    await expect(second).rejects.toBe(reason)
    expect(log).toEqual(['a from nowhere'])
  })
})
