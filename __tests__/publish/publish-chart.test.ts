import { messageOf } from '../../src/errors.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { startSpecRegistry, type SpecRegistry } from '../../conformance/server/registry.ts'
import { writes } from './project.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

const CHART_YAML = 'apiVersion: v2\nname: web # its name\nversion: 1.2.3+b.1\nappVersion: "1"\n'
const VALUES = '# what runs\nimage:\n  repository: nginx\n  tag: "" # set by CI\n  digest:\n'

function chartProject(more: Readonly<Record<string, string>> = {}): Workshop {
  const workshop = openWorkshop()
  workshop.put({
    'web/Chart.yaml': CHART_YAML,
    'web/values.yaml': VALUES,
    'web/templates/map.yaml': 'kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n',
    ...more,
  })
  return workshop
}

function wanted({ host }: SpecRegistry, more: FieldValues = {}): FieldValues {
  return { chart: 'web', images: [`${host}/charts`], ...more }
}

async function refusal(workshop: Workshop, values: FieldValues): Promise<string> {
  const error = await workshop.publish(values).catch((thrown: unknown) => thrown)
  return error instanceof Error ? messageOf(error) : 'was not refused'
}

describe('a chart alone', () => {
  test('goes below the repository by its name, under the tag of its version', async () => {
    await using registry = await startSpecRegistry()
    using workshop = chartProject()
    const { report } = await workshop.publish(wanted(registry))
    const ref = `${registry.host}/charts/web:1.2.3_b.1`
    expect(report).toMatchObject({
      refs: [`${ref}@${report.digest}`],
      tags: [ref],
      platforms: [],
      dryRun: false,
      chart: {
        name: 'web',
        version: '1.2.3+b.1',
        appVersion: '1',
        digest: report.digest,
        commands: [`helm pull oci://${registry.host}/charts/web --version 1.2.3+b.1`],
      },
    })
  })

  test.each(['c:d', 'c ', ' c', 'C', 'c@d', 'c..d', '-c', 'c+d', 'c?d', 'c#d', 'ü', 'c d'])(
    'called %j is refused, as helm does, and not pushed to a repository of another name',
    async name => {
      await using registry = await startSpecRegistry()
      using workshop = chartProject({ 'web/Chart.yaml': `name: ${JSON.stringify(name)}\nversion: 1.0.0\n` })
      const before = registry.requests.length
      const error = await workshop.publish(wanted(registry)).catch((thrown: unknown) => thrown)
      expect(messageOf(error)).toContain(`chart: its name ${JSON.stringify(name)} cannot be part of a repository`)
      expect(registry.requests.slice(before)).toEqual([])
      const exact = { chart: 'web', 'chart-repository': `${registry.host}/charts/web` }
      const { report } = await workshop.publish(exact)
      expect(report.tags).toEqual([`${registry.host}/charts/web:1.0.0`])
    },
  )

  test('is not sent again while its package is the same, though its commit is another', async () => {
    await using registry = await startSpecRegistry()
    using workshop = chartProject()
    const first = await workshop.publish(wanted(registry, { 'source-date-epoch': '1' }))
    const mark = registry.requests.length
    const second = await workshop.publish(wanted(registry, { 'source-date-epoch': '2' }))
    expect(writes(registry, mark)).toEqual([])
    expect(second.report).toMatchObject({ digest: first.report.digest, refs: first.report.refs })
    expect(second.report.targets[0]).toMatchObject({ sent: { count: 0, bytes: 0 } })
    expect(second.events).toContainEqual({
      type: 'notice',
      text: expect.stringContaining('is this chart already') as string,
    })
  })

  async function publishedBefore(workshop: Workshop, registry: SpecRegistry): Promise<string> {
    const { report } = await workshop.publish(wanted(registry))
    workshop.put({ 'web/values.yaml': 'other: true\n' })
    return report.digest
  }

  test.each<FieldValues>([{}, { 'on-existing-tag': 'fail' }])(
    'with other content under a version that is there, it is refused (%j)',
    async values => {
      await using registry = await startSpecRegistry()
      using workshop = chartProject()
      const before = await publishedBefore(workshop, registry)
      const mark = registry.requests.length
      const error = await workshop.publish(wanted(registry, values)).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'TAG_EXISTS', hint: expect.stringContaining('chart-version') as string })
      expect(messageOf(error)).toContain(`${registry.host}/charts/web:1.2.3_b.1 is ${before}`)
      expect(writes(registry, mark)).toEqual([])
    },
  )

  test.each([
    ['skip', true],
    ['overwrite', false],
  ])('with other content and on-existing-tag: %s, what was there stays: %s', async (onExisting, stays) => {
    await using registry = await startSpecRegistry()
    using workshop = chartProject()
    const before = await publishedBefore(workshop, registry)
    const mark = registry.requests.length
    const { report } = await workshop.publish(wanted(registry, { 'on-existing-tag': onExisting }))
    expect(report.digest === before).toBe(stays)
    expect(report.refs).toEqual([`${registry.host}/charts/web:1.2.3_b.1@${report.digest}`])
    expect(writes(registry, mark).length === 0).toBe(stays)
  })

  test('goes to exactly the repositories of chart-repository, as helm or we write them, and to a layout', async () => {
    await using registry = await startSpecRegistry()
    await using other = await startSpecRegistry()
    using workshop = chartProject()
    const { report } = await workshop.publish({
      chart: 'web',
      'chart-repository': [`oci://${registry.host}/one/name`, `${other.host}/two`],
      outputs: `type=oci,dest=${workshop.at('out')}`,
    })
    const layout = `oci:${workshop.at('out')}:1.2.3_b.1`
    expect(report.tags).toEqual([`${registry.host}/one/name:1.2.3_b.1`, `${other.host}/two:1.2.3_b.1`, layout])
    expect(new Set(report.refs.map(ref => ref.split('@')[1]))).toEqual(new Set([report.digest]))
  })

  test('keeps all registries as they are when one of them has another chart there', async () => {
    await using registry = await startSpecRegistry()
    await using other = await startSpecRegistry()
    using workshop = chartProject()
    await workshop.publish(wanted(registry))
    workshop.put({ 'web/values.yaml': 'other: true\n' })
    const images = [`${other.host}/charts`, `${registry.host}/charts`]
    await expect(workshop.publish({ chart: 'web', images })).rejects.toMatchObject({ code: 'TAG_EXISTS' })
    expect(writes(other)).toEqual([])
  })

  test('a dry run says what would be sent, and sends nothing', async () => {
    await using registry = await startSpecRegistry()
    using workshop = chartProject()
    const { report } = await workshop.publish(wanted(registry, { 'dry-run': 'true' }))
    expect(report).toMatchObject({ dryRun: true, targets: [{ sent: { count: 3 } }] })
    expect(writes(registry)).toEqual([])
    expect((await workshop.publish(wanted(registry))).report.digest).toBe(report.digest)
  })

  test('other versions are written into it, and are its tag', async () => {
    await using registry = await startSpecRegistry()
    using workshop = chartProject()
    const { report } = await workshop.publish(
      wanted(registry, { 'chart-version': '2.0.0', 'chart-app-version': 'blue' }),
    )
    expect(report.chart).toMatchObject({ version: '2.0.0', appVersion: 'blue' })
    expect(report.tags).toEqual([`${registry.host}/charts/web:2.0.0`])
  })

  test('what makes it hard to find is told', async () => {
    await using registry = await startSpecRegistry()
    using workshop = chartProject()
    const { events } = await workshop.publish(wanted(registry, { 'chart-version': 'v1.0' }))
    expect(events).toContainEqual({
      type: 'notice',
      text: expect.stringContaining('no strict semantic version') as string,
    })
  })

  test.each<[string, FieldValues, string]>([
    ['a chart that is not there', { chart: './wbe' }, 'wbe is not there, or cannot be read'],
    ['a tag', { tags: 'v1' }, 'tags: the tag of a chart is its version'],
    ['a tag of an image', { images: 'ghcr.io/charts:v1' }, 'images: "ghcr.io/charts:v1" has a tag'],
    [
      'an image that is not made',
      { 'chart-app-version': 'image-tag' },
      'chart-app-version: {tag}: no image is published',
    ],
    ['the same in values', { 'chart-values': 'image.tag={tag}' }, 'chart-values: {tag}: no image is published'],
    ['a wrong choice', { 'chart-dependencies': 'maybe' }, 'chart-dependencies: "maybe" is not one of'],
    ['a passphrase of nothing', { 'chart-sign-passphrase': 'x' }, 'chart-sign-passphrase: there is no chart-sign-key'],
    ['a key that is none', { 'chart-sign-key': './key' }, 'chart-sign-key: is neither a PGP key nor a file'],
    ['a third level on Docker Hub', { images: 'docker.io/org/charts' }, 'repositories of Docker Hub have two parts'],
    ['a repository that is none', { 'chart-repository': 'ghcr.io/a:b:c' }, 'chart-repository: '],
    ['no place to go', { images: [] }, 'images: say where to publish to'],
  ])('is refused before anything is sent with %s', async (_name, values, said) => {
    using workshop = chartProject()
    expect(await refusal(workshop, { chart: 'web', images: '127.0.0.1:1/charts', ...values })).toContain(said)
  })
})

describe('an image, and the chart that installs it', () => {
  const both = (registry: SpecRegistry, more: FieldValues = {}): FieldValues => ({
    images: [`${registry.host}/team/app`],
    tags: ['v7', 'latest'],
    layers: ['site/:/srv/'],
    chart: 'web',
    'chart-repository': [`${registry.host}/charts/web`],
    ...more,
  })
  const site = { 'site/index.html': 'hello' }

  test('are published in one go, with the image of this run in the chart', async () => {
    await using registry = await startSpecRegistry()
    using workshop = chartProject(site)
    const { report } = await workshop.publish(
      both(registry, {
        'chart-app-version': 'image-tag',
        'chart-values': 'image.repository={repository},image.tag={tag},image.digest={digest}',
      }),
    )
    expect(report.chart).toMatchObject({ name: 'web', appVersion: 'v7' })
    expect(report.platforms).toHaveLength(1)
    expect(report.refs).toEqual([
      `${registry.host}/team/app:v7@${report.digest}`,
      `${registry.host}/team/app:latest@${report.digest}`,
      `${registry.host}/charts/web:1.2.3_b.1@${report.chart?.digest ?? ''}`,
    ])
    expect(report.targets.map(({ place }) => place)).toEqual([
      `${registry.host}/team/app`,
      `${registry.host}/charts/web`,
    ])
  })

  test.each<[string, Readonly<Record<string, string>>, FieldValues]>([
    ['a chart that helm refuses', { 'web/Chart.yaml': 'name: web\n' }, {}],
    ['a values key that is not there', {}, { 'chart-values': 'image.tga={tag}' }],
    ['a problem of the request', {}, { 'chart-dependencies': 'maybe' }],
    ['a key that is none', {}, { 'chart-sign-key': './key' }],
  ])('%s keeps the image from being published', async (_name, files, values) => {
    await using registry = await startSpecRegistry()
    using workshop = chartProject({ ...site, ...files })
    expect(await refusal(workshop, both(registry, values))).not.toBe('was not refused')
    expect(writes(registry)).toEqual([])
  })

  test('nothing of the chart is sent when the image fails', async () => {
    await using registry = await startSpecRegistry()
    using workshop = chartProject(site)
    const values = both(registry, { 'base-image': `${registry.host}/not/there` })
    expect(await refusal(workshop, values)).toContain('not/there')
    expect(writes(registry)).toEqual([])
  })

  test('another chart of that version keeps the image from being published', async () => {
    await using registry = await startSpecRegistry()
    using workshop = chartProject(site)
    await workshop.publish({ chart: 'web', 'chart-repository': `${registry.host}/charts/web` })
    workshop.put({ 'web/values.yaml': 'other: true\n' })
    const mark = registry.requests.length
    await expect(workshop.publish(both(registry))).rejects.toMatchObject({ code: 'TAG_EXISTS' })
    expect(writes(registry, mark)).toEqual([])
  })

  test('a dry run of both sends nothing, and knows what the chart will hold', async () => {
    await using registry = await startSpecRegistry()
    using workshop = chartProject(site)
    const values = both(registry, { 'chart-values': 'image.digest={digest}' })
    const planned = await workshop.publish({ ...values, 'dry-run': 'true' })
    expect(writes(registry)).toEqual([])
    const done = await workshop.publish(values)
    expect(planned.report.refs).toEqual(done.report.refs)
  })

  test('problems of both are told together', async () => {
    await using registry = await startSpecRegistry()
    using workshop = chartProject(site)
    const said = await refusal(workshop, both(registry, { platforms: 'linux/amd65', 'chart-strict': 'maybe' }))
    expect(said).toContain('platforms: unknown platform')
    expect(said).toContain('chart-strict: "maybe" is not true or false')
  })
})
