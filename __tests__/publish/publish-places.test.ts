import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { FieldValues } from '../../src/publish/fields.ts'
import { startSpecRegistry, type SpecRegistryOptions } from '../../conformance/server/registry.ts'
import { document, onBase, pathsIn, PROJECT, pushOs, putProject, writes } from './project.ts'
import { openWorkshop } from './workshop.ts'

const user = { username: 'robot', password: 'secret' }
const small: FieldValues = {
  ...PROJECT,
  platforms: 'linux/amd64',
  'base-image': 'scratch',
  layers: 'assets/:/srv/www/',
}

describe('credentials', () => {
  test.each<[string, SpecRegistryOptions]>([
    ['Basic', { auth: { scheme: 'basic', ...user } }],
    ['a token', { auth: { scheme: 'bearer', ...user } }],
  ])('of a docker login open a registry that wants %s, for the base and for the image', async (_name, options) => {
    await using open = await startSpecRegistry()
    await using registry = await startSpecRegistry(options)
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(open)
    mkdirSync(workshop.at('home/.docker'))
    const auth = Buffer.from(`${user.username}:${user.password}`).toString('base64')
    writeFileSync(workshop.at('home/.docker/config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }))
    const first = await workshop.publish(onBase(open, [`${registry.host}/base/app`]))
    expect(open.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([])
    // What was published is a base for the next.
    const second = await workshop.publish({
      ...PROJECT,
      images: `${registry.host}/team/app`,
      'base-image': `${registry.host}/base/app:v1`,
      layers: 'app.conf:/etc/other.conf',
    })
    expect(second.report.targets[0]?.mounted.count).toBe(3 + 4)
    expect(second.report.base?.digest).toBe(first.report.digest)
  })
})

describe('a publication', () => {
  test('goes to a registry and into a layout and an archive in one run', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(registry)
    const { report } = await workshop.publish(
      onBase(registry, undefined, {
        outputs: [`type=oci,dest=${workshop.at('dir')}`, `type=oci,dest=${workshop.at('image.tar')},tar=true`],
      }),
    )
    const index = JSON.parse(readFileSync(join(workshop.at('dir'), 'index.json'), 'utf8')) as {
      manifests: { digest: string }[]
    }
    expect(index.manifests.map(({ digest }) => digest)).toEqual([report.digest])
    expect(report.targets.map(({ place }) => place)).toEqual([
      `${registry.host}/team/app`,
      expect.any(String),
      expect.any(String),
    ])
    expect(registry.tags('team/app').get('v1')).toBe(report.digest)
    // And back again: both are bases.
    for (const base of [`oci:${workshop.at('dir')}`, `oci-archive:${workshop.at('image.tar')}`]) {
      const next = await workshop.publish({
        ...PROJECT,
        images: `${registry.host}/team/next`,
        'base-image': base,
        layers: 'app.conf:/etc/x',
      })
      expect(next.report.base?.digest).toBe(report.digest)
    }
  })

  test('without a tag is there under its digest alone', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    const { report } = await workshop.publish({ ...small, tags: [], images: `${registry.host}/team/app` })
    expect(report.refs).toEqual([`${registry.host}/team/app@${report.digest}`])
    expect(registry.tags('team/app')).toEqual(new Map())
    expect(document(registry, report.digest).layers).toHaveLength(1)
  })

  test('is not disturbed by another one of the same, from the same machine at the same time', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(registry)
    const runs = await Promise.all(
      ['v1', 'v2'].map(tag => workshop.publish(onBase(registry, undefined, { tags: tag }))),
    )
    const [first, second] = runs.map(({ report }) => report.digest)
    expect(first).toBe(second)
    expect(new Map(registry.tags('team/app'))).toEqual(
      new Map([
        ['v1', first],
        ['v2', first],
      ]),
    )
    expect(registry.openUploads).toBe(0)
  })

  test('takes the place of something that is no image', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    const to = new URL('/v2/team/app/manifests/v1', registry.url)
    const mediaType = 'application/vnd.oci.image.index.v1+json'
    const put = await fetch(to, {
      method: 'PUT',
      headers: { 'content-type': mediaType },
      body: '{"schemaVersion":2,"manifests":[]}',
    })
    expect(put.status).toBe(201)
    const { report } = await workshop.publish({ ...small, images: `${registry.host}/team/app` })
    expect(registry.tags('team/app').get('v1')).toBe(report.digest)
  })

  test.each<[string, FieldValues, string]>([
    ['zstd', { compression: 'zstd' }, 'application/vnd.oci.image.layer.v1.tar+zstd'],
    ['plain tar', { compression: 'none' }, 'application/vnd.oci.image.layer.v1.tar'],
    ['docker', { types: 'docker' }, 'application/vnd.docker.image.rootfs.diff.tar.gzip'],
  ])('in %s sends nothing the second time', async (_name, more, mediaType) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    const values = { ...small, ...more, images: `${registry.host}/team/app` }
    const { report } = await workshop.publish(values)
    expect(report.platforms[0]?.layers.map(layer => layer.mediaType)).toEqual([mediaType])
    const mark = registry.requests.length
    const again = await workshop.publish({ ...values, 'cache-dir': workshop.at('other') })
    expect(again.report.digest).toBe(report.digest)
    expect(writes(registry, mark)).toEqual([])
  })

  test('takes a ready tar as the layer that it is', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    workshop.put({ 'ready.tgz': '' })
    writeFileSync(join(workshop.context, 'ready.tgz'), gzipSync(Buffer.alloc(1024)))
    const { report } = await workshop.publish({
      ...small,
      layers: 'from-tar=ready.tgz',
      images: `${registry.host}/team/app`,
    })
    expect(await pathsIn(registry, report.platforms[0]?.layers[0]?.digest ?? '')).toEqual([])
  })
})

describe('no tag moves', () => {
  test('when the user stops in the middle, whose reason is told as it is', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(registry)
    const stop = new AbortController()
    const reason = new Error('enough')
    const running = workshop.publish(onBase(registry), {
      signal: stop.signal,
      onEvent: ({ type }) => {
        if (type === 'manifest-done') stop.abort(reason)
      },
    })
    await expect(running).rejects.toBe(reason)
    expect(registry.tags('team/app')).toEqual(new Map())
    expect(registry.openUploads).toBe(0)
  })

  test('when a file is taken away after it was looked at', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(registry)
    const running = workshop.publish(onBase(registry), {
      onEvent: ({ type }) => {
        if (type === 'step') rmSync(join(workshop.context, 'app.conf'), { force: true })
      },
    })
    await expect(running).rejects.toThrow(/app[.]conf/)
    expect(registry.tags('team/app')).toEqual(new Map())
  })

  test('that is immutable, and what it holds stays', async () => {
    await using registry = await startSpecRegistry({ immutableTags: true })
    using workshop = openWorkshop()
    putProject(workshop)
    const values = { ...small, images: `${registry.host}/team/app` }
    const { report } = await workshop.publish(values)
    await workshop.publish(values)
    workshop.put({ 'assets/new.html': 'new' })
    await expect(workshop.publish(values)).rejects.toMatchObject({ code: 'TAGS_NOT_MOVED', failed: ['v1'], moved: [] })
    expect(registry.tags('team/app').get('v1')).toBe(report.digest)
  })
})
