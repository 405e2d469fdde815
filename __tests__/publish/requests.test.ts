import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { onBase, PROJECT, pushOs, putProject } from './project.ts'
import { byKey, putKey } from './signed-projects.ts'
import { openWorkshop } from './workshop.ts'

/** What was asked for, by kind, since a mark: `4 HEAD team/app blobs`. */
function asked({ requests }: SpecRegistry, since: number): readonly string[] {
  const counts = new Map<string, number>()
  for (const { method, path } of requests.slice(since)) {
    const [, repository = '', kind = '', rest = ''] = /^[/]v2[/](.*?)[/](manifests|blobs)[/](.*)/.exec(path) ?? []
    const by = kind === 'manifests' ? (rest.startsWith('sha256:') ? ' by digest' : ' by tag') : ''
    const line = `${method} ${repository} ${kind}${by}`
    counts.set(line, (counts.get(line) ?? 0) + 1)
  }
  return [...counts].map(([line, count]) => `${count} ${line}`).sort()
}

describe('publishing unchanged files again asks for nothing twice', () => {
  test('two platforms with four layers from scratch: 10 requests', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    const images = [`${registry.host}/team/app`]
    await workshop.publish({ ...PROJECT, images })
    const mark = registry.requests.length
    await workshop.publish({ ...PROJECT, images })
    expect(asked(registry, mark)).toEqual([
      '1 HEAD team/app manifests by tag',
      '2 GET team/app blobs', // the configs tell which layers there are
      '3 GET team/app manifests by digest',
      '4 HEAD team/app blobs', // a layer that is not made is one that is seen to be there
    ])
    expect(new Set(registry.requests.slice(mark).map(({ path }) => path)).size).toBe(10)
  })

  test('and on a base: 6 more, to see that the base is what it was', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(registry)
    await workshop.publish(onBase(registry))
    const mark = registry.requests.length
    await workshop.publish(onBase(registry))
    expect(asked(registry, mark).filter(line => line.includes('base/os'))).toEqual([
      '1 HEAD base/os manifests by tag',
      '2 GET base/os blobs',
      '3 GET base/os manifests by digest',
    ])
    expect(registry.requests.slice(mark)).toHaveLength(16)
  })

  test.each([
    ['one image', 'linux/amd64', 4],
    ['an index of two', 'linux/amd64,linux/arm64', 8],
  ])('and signed by the same key before, %s: few more, and nothing is compressed', async (_what, platforms, more) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    const images = [`${registry.host}/team/app`]
    const counted = async (values: FieldValues): Promise<number> => {
      await workshop.publish({ ...PROJECT, images, platforms, ...values })
      const mark = registry.requests.length
      const { report } = await workshop.publish({ ...PROJECT, images, platforms, ...values })
      expect(report.platforms.flatMap(({ layers }) => layers.map(({ origin }) => origin))).not.toContain('assembled')
      return registry.requests.length - mark
    }
    const unsigned = await counted({})
    expect((await counted(byKey(putKey(workshop)))) - unsigned).toBe(more)
  })
})
