import { createHash } from 'node:crypto'
import { bytesBlob, type Blob } from '../../src/content/blob.ts'
import type { Target } from '../../src/content/ports.ts'
import { readAll } from '../../src/content/verify.ts'
import { createTransport } from '../../src/http/client.ts'
import { digestOf, isDigest, type Digest } from '../../src/oci/digest.ts'
import { OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { givenCredentials } from '../../src/registry/credentials/inputs.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository } from '../../src/registry/registry.ts'
import { startSpecRegistry, type SpecRegistry, type SpecRegistryOptions } from '../../conformance/server/registry.ts'
import type { Fault, Match } from '../../conformance/server/fault.ts'

const USER = { username: 'robot', password: 'secret' }
const basic = { scheme: 'basic', ...USER } as const
const bearer = { scheme: 'bearer', ...USER } as const

const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

interface Client {
  /** A repository of the registry; all that a client opens share connections, tokens and what was learnt. */
  open(repository: string, side?: 'source' | 'target'): Target
}

/** The product's own client, on a clock that jumps ahead whenever somebody waits. */
function clientOf({ host }: SpecRegistry): Client {
  let nowMs = 0
  const sleep = (waitMs: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted()
    nowMs += waitMs
    return Promise.resolve()
  }
  const transport = createTransport({ version: '0', random: () => 0, clock: { now: () => nowMs, sleep } })
  closing.push(() => transport.close())
  const credentials = givenCredentials([{ registry: host, ...USER, from: 'inputs' }])
  const hosts = new RegistryHosts({ transport, credentials })
  return {
    open: (repository, side = 'target') =>
      openRepository({ host, repository }, { hosts, side, sleep, random: () => 0 }),
  }
}

function blobOf(bytes: Uint8Array, mediaType = 'application/x', digest: Digest = digestOf(bytes)): Blob {
  return bytesBlob({ bytes, descriptor: { mediaType, digest, size: bytes.byteLength } })
}

const layer = blobOf(new Uint8Array(300_000).map((_, i) => i % 251))
const config = blobOf(new TextEncoder().encode('{}'), 'application/vnd.oci.image.config.v1+json')
const manifest = blobOf(
  new TextEncoder().encode(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: config.descriptor,
      layers: [layer.descriptor],
    }),
  ),
  OCI_MANIFEST,
)

async function publish(target: Target, tags: readonly string[] = ['v1', 'latest']): Promise<void> {
  for (const blob of [layer, config, manifest]) await target.push(blob)
  await target.tag(manifest, tags)
}

/** All of it is there, under both names, and nothing is left over. */
async function expectPublished(registry: SpecRegistry, repository = 'team/app'): Promise<void> {
  const { digest } = manifest.descriptor
  expect(new Map(registry.tags(repository))).toEqual(
    new Map([
      ['v1', digest],
      ['latest', digest],
    ]),
  )
  expect(registry.manifest(repository, digest)?.mediaType).toBe(OCI_MANIFEST)
  for (const { descriptor } of [layer, config]) {
    expect((await registry.blob(repository, descriptor.digest))?.byteLength).toBe(descriptor.size)
  }
}

async function read(source: Target, { descriptor }: Blob): Promise<Digest> {
  return digestOf(await readAll(source.open(descriptor), { maxBytes: 1 << 20, what: 'blob' }))
}

describe.each<[name: string, options: SpecRegistryOptions, schemes: readonly (string | undefined)[]]>([
  ['without credentials', {}, [undefined]],
  ['with Basic', { auth: basic }, [undefined, 'Basic']],
  ['with a token', { auth: bearer }, [undefined, 'Basic', 'Bearer']],
  ['with absolute Locations, blobs in one POST refused', { location: 'absolute', singlePost: false }, [undefined]],
  [
    'without mounts, several tags at once, and referrers',
    { mount: false, multiTag: false, referrers: false },
    [undefined],
  ],
  ['with repositories made before', { createOnPush: false, repositories: ['team/app'] }, [undefined]],
])('a registry %s', (_name, options, schemes) => {
  test('takes an image and gives it back', async () => {
    await using registry = await startSpecRegistry(options)
    const client = clientOf(registry)
    const target = client.open('team/app')
    expect(await target.has(layer.descriptor)).toBe(false)
    await publish(target)
    await expectPublished(registry)
    expect(registry.openUploads).toBe(0)

    const source = client.open('team/app', 'source')
    expect(await source.resolve('latest')).toEqual(manifest.descriptor)
    expect(await source.resolve(manifest.descriptor.digest)).toEqual(manifest.descriptor)
    for (const blob of [layer, config, manifest]) expect(await read(source, blob)).toBe(blob.descriptor.digest)
    expect(registry.requests.map(one => one.authorization).filter((one, i, all) => all.indexOf(one) === i)).toEqual(
      schemes,
    )
  })

  test('is sent nothing twice', async () => {
    await using registry = await startSpecRegistry(options)
    await publish(clientOf(registry).open('team/app'))
    const mark = registry.requests.length
    const again = clientOf(registry).open('team/app')
    await again.resolve('v1') // which proves that the manifest is of this repository
    await publish(again)
    expect(registry.requests.slice(mark).filter(({ method }) => method.startsWith('P'))).toEqual([])
  })
})

describe('a token', () => {
  test('that ends between two requests is renewed', async () => {
    await using registry = await startSpecRegistry({ auth: bearer })
    const target = clientOf(registry).open('team/app')
    for (const blob of [layer, config, manifest]) {
      await target.push(blob)
      registry.expireTokens()
    }
    await target.tag(manifest, ['v1', 'latest'])
    await expectPublished(registry)
  })

  test('that ends when the session is open, before its bytes are sent, does not cost the layer', async () => {
    await using registry = await startSpecRegistry({ auth: bearer })
    const target = clientOf(registry).open('team/app')
    let opened = 0
    const slow: Blob = {
      descriptor: layer.descriptor,
      open: options => {
        if (opened++ === 0) registry.expireTokens()
        return layer.open(options)
      },
    }
    expect(await target.push(slow)).toMatchObject({ how: 'uploaded' })
    expect(opened).toBe(2)
    expect(registry.openUploads).toBe(0)
    expect((await registry.blob('team/app', layer.descriptor.digest))?.byteLength).toBe(layer.descriptor.size)
  })

  test('is asked for once, however many requests wait for it', async () => {
    await using registry = await startSpecRegistry({ auth: bearer })
    const target = clientOf(registry).open('team/app')
    const blobs = Array.from({ length: 8 }, (_, i) => blobOf(new Uint8Array([i])))
    await Promise.all(blobs.map(blob => target.push(blob)))
    expect(registry.requests.filter(({ path }) => path === '/token')).toHaveLength(1)
  })
})

describe('a layer of another repository', () => {
  const pushed = async (options: SpecRegistryOptions): Promise<{ registry: SpecRegistry; client: Client }> => {
    const registry = await startSpecRegistry(options)
    const client = clientOf(registry)
    await client.open('base/os').push(layer)
    return { registry, client }
  }

  test.each([
    ['is mounted', {}],
    ['is mounted with a token that may read the other repository too', { auth: bearer }],
  ])('%s', async (_name, options: SpecRegistryOptions) => {
    const { registry, client } = await pushed(options)
    await using server = registry
    const outcome = await client.open('team/app').push(layer, { mountFrom: ['base/os'] })
    expect(outcome).toEqual({ how: 'mounted', bytes: 0 })
    expect((await server.blob('team/app', layer.descriptor.digest))?.byteLength).toBe(layer.descriptor.size)
  })

  test.each<[string, SpecRegistryOptions, number]>([
    ['is sent into the session that a registry without mounts opens for it', { mount: false }, 1],
    [
      'is sent where the token may not read the other repository',
      { auth: { ...bearer, grants: name => (name === 'base/os' ? [] : ['pull', 'push']) } },
      2,
    ],
  ])('%s', async (_name, options, posts) => {
    await using registry = await startSpecRegistry(options)
    const target = clientOf(registry).open('team/app')
    const outcome = await target.push(layer, { mountFrom: ['base/os'] })
    expect(outcome).toEqual({ how: 'uploaded', bytes: layer.descriptor.size })
    const accepted = registry.requests.filter(({ method, status }) => method === 'POST' && status === 202)
    expect(accepted).toHaveLength(1)
    expect(registry.requests.filter(({ method }) => method === 'POST').length).toBeGreaterThanOrEqual(posts)
    expect(registry.openUploads).toBe(0)
  })
})

describe('a push is complete in the end', () => {
  const requests: readonly (readonly [what: string, match: Match, options?: SpecRegistryOptions])[] = [
    ['the question for a layer', { method: 'HEAD', path: '/blobs/' }],
    ['the start of an upload', { method: 'POST' }],
    ['a layer', { method: 'PUT', path: '/blobs/uploads/' }],
    ['the question for the manifest', { method: 'HEAD', path: '/manifests/sha256:' }],
    ['the manifest', { method: 'PUT', path: /manifests[/]sha256:\w+$/ }],
    ['the question for a tag', { method: 'HEAD', path: '/manifests/v1' }],
    ['the request for both tags', { method: 'PUT', path: '?tag=v1&tag=latest' }],
    ['the request for both tags, which is ignored,', { method: 'PUT', path: '?tag=' }, { multiTag: false }],
    ['the first tag', { method: 'PUT', path: '/manifests/v1' }, { multiTag: false }],
    ['the second tag', { method: 'PUT', path: '/manifests/latest' }, { multiTag: false }],
  ]
  const faults: readonly (readonly [what: string, fault: Fault])[] = [
    ['is answered with 503', { status: 503 }],
    ['is answered with 502 by a proxy that does not read it', { status: 502, early: true, body: '<html>' }],
    ['is reset', { reset: true }],
    ['is cut', { cutRequestAfter: 1 }],
    ['is carried out without an answer', { lostAnswer: true }],
  ]
  const cases = requests.flatMap(([what, match, options]) =>
    faults
      .filter(([, fault]) => !('cutRequestAfter' in fault) || match.method === 'PUT') // only where there is a body
      .map(([how, fault]) => [what, how, match, fault, options] as const),
  )
  /** HEAD, POST and PUT of two blobs; HEAD and PUT of the manifest; HEAD of a tag and PUT of both. */
  const CALM = 2 * 3 + 2 + 2

  test('which takes ten requests when nothing goes wrong', async () => {
    await using registry = await startSpecRegistry()
    await publish(clientOf(registry).open('team/app'))
    expect(registry.requests).toHaveLength(CALM)
  })

  test('which takes three more where tags are moved one by one, and asks for several at once only once', async () => {
    await using registry = await startSpecRegistry({ multiTag: false })
    const client = clientOf(registry)
    await publish(client.open('team/app'))
    expect(registry.requests).toHaveLength(CALM + 3)
    await publish(client.open('team/other'))
    expect(registry.requests.filter(({ query }) => query.has('tag'))).toHaveLength(1)
  })

  test.each(cases)('when %s %s', async (_what, _how, match, fault, options) => {
    await using registry = await startSpecRegistry(options)
    registry.fail(match, fault)
    await publish(clientOf(registry).open('team/app'))
    await expectPublished(registry)
    expect(registry.requests.length).toBeGreaterThan(CALM)
    // An upload whose Location nobody heard of cannot be cancelled.
    expect(registry.openUploads).toBe(match.method === 'POST' && 'lostAnswer' in fault ? 1 : 0)
  })

  test('when every request is answered with 503 twice', async () => {
    await using registry = await startSpecRegistry({ auth: bearer })
    for (const [, match] of requests) registry.fail({ ...match, times: 2 }, { status: 503 })
    await publish(clientOf(registry).open('team/app'))
    await expectPublished(registry)
  })
})

describe('an immutable tag', () => {
  test('that has our digest is what was wanted', async () => {
    await using registry = await startSpecRegistry({ immutableTags: true })
    await publish(clientOf(registry).open('team/app'))
    await clientOf(registry).open('team/app').tag(manifest, ['v1', 'latest'])
    await expectPublished(registry)
  })

  test('that was moved by a request whose answer was lost, is what was wanted', async () => {
    await using registry = await startSpecRegistry({ immutableTags: true })
    registry.fail({ method: 'PUT', path: '?tag=v1' }, { lostAnswer: true })
    await publish(clientOf(registry).open('team/app'))
    await expectPublished(registry)
  })

  test('that has another digest stays, and the others move', async () => {
    await using registry = await startSpecRegistry({ immutableTags: true })
    const target = clientOf(registry).open('team/app')
    await publish(target, ['v1'])
    const other = blobOf(
      Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: config.descriptor, layers: [] })),
      OCI_MANIFEST,
    )
    await target.push(other)
    await expect(target.tag(other, ['v1', 'v2'])).rejects.toMatchObject({
      code: 'TAGS_NOT_MOVED',
      moved: ['v2'],
      failed: ['v1'],
      message: expect.stringMatching(
        `v1 is immutable and stays at ${manifest.descriptor.digest}: .*TAG_INVALID`,
      ) as string,
      hint: expect.stringContaining('a tag that is not taken') as string,
    })
    expect(registry.tags('team/app').get('v1')).toBe(manifest.descriptor.digest)
    expect(registry.tags('team/app').get('v2')).toBe(other.descriptor.digest)
  })
})

describe('a manifest', () => {
  test('whose layers are not there is refused, and the error names what the registry misses', async () => {
    await using registry = await startSpecRegistry()
    const target = clientOf(registry).open('team/app')
    await target.push(config)
    const refused = target.push(manifest)
    await expect(refused).rejects.toMatchObject({ codes: ['MANIFEST_BLOB_UNKNOWN'], status: 400 })
    await expect(refused).rejects.toThrow(layer.descriptor.digest)
    expect(registry.manifest('team/app', manifest.descriptor.digest)).toBeUndefined()
  })
})

describe('a download', () => {
  test('that is cut goes on where it stopped', async () => {
    await using registry = await startSpecRegistry()
    const client = clientOf(registry)
    await client.open('team/app').push(layer)
    registry.fail({ method: 'GET', path: '/blobs/' }, { cutResponseAfter: 100_000 })
    expect(await read(client.open('team/app', 'source'), layer)).toBe(layer.descriptor.digest)
    const ranges = registry.requests.filter(({ method }) => method === 'GET').map(({ headers }) => headers['range'])
    expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=\d+-299999$/)])
  })

  test('of what is not there is told as that', async () => {
    await using registry = await startSpecRegistry()
    const source = clientOf(registry).open('team/app', 'source')
    await expect(source.resolve('none')).rejects.toMatchObject({ code: 'NOT_FOUND', status: 404 })
    await expect(read(source, layer)).rejects.toMatchObject({ code: 'NOT_FOUND', codes: ['BLOB_UNKNOWN'] })
  })
})

test('what is named by sha512 is pushed and read under that name', async () => {
  await using registry = await startSpecRegistry()
  const client = clientOf(registry)
  const named = ({ descriptor }: Blob, bytes: Uint8Array): Blob => {
    const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}`
    if (!isDigest(digest)) throw new Error(digest)
    return blobOf(bytes, descriptor.mediaType, digest)
  }
  const bytes = new TextEncoder().encode('bytes of a layer')
  const blob = named(layer, bytes)
  const document = new TextEncoder().encode(
    JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: config.descriptor, layers: [blob.descriptor] }),
  )
  const image = named(manifest, document)
  for (const one of [blob, config, image]) await client.open('team/app').push(one)
  const source = client.open('team/app', 'source')
  expect(await source.resolve(image.descriptor.digest)).toEqual(image.descriptor)
  expect(await read(source, blob)).toBe(digestOf(bytes))
})
