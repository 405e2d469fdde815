import { bytesBlob, type Blob } from '../../src/content/blob.ts'
import type { Target } from '../../src/content/ports.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { credentialChain } from '../../src/registry/credentials/chain.ts'
import { givenCredentials } from '../../src/registry/credentials/inputs.ts'
import type { RegistryEvent } from '../../src/registry/event.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository } from '../../src/registry/registry.ts'
import { scripted, type Said, type ScriptedTransport, type Seen, type Server, type Silence } from './scripted.ts'

const blobOf = (text: string, mediaType = 'application/x'): Blob => {
  const bytes = new TextEncoder().encode(text)
  return bytesBlob({ bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength } })
}

const layer = blobOf('layer')
const manifest = blobOf('{}', OCI_MANIFEST)
const SESSION = '/v2/team/app/blobs/uploads/1?_state=a%2Fb+c&x'

/** A registry that has what was put there; `fault` answers in its place when it likes to. */
function registry(
  fault: (request: Seen, line: string) => Said | Silence | undefined = () => undefined,
): Server & { has: Set<string> } {
  const has = new Set<string>()
  const server: Server = request => {
    const { pathname, searchParams } = new URL(request.url)
    const faulty = fault(request, `${request.method} ${pathname}`)
    if (faulty) return faulty
    const name = pathname.split('/').at(-1) ?? ''
    switch (request.method) {
      case 'HEAD': {
        const found = [...has].find(one => one.startsWith(`${name}=`) || one === name)
        const [, digest = name] = found?.split('=') ?? []
        const headers = { 'docker-content-digest': digest, 'content-type': OCI_MANIFEST, 'content-length': '2' }
        return found === undefined ? { status: 404 } : { status: 200, headers }
      }
      case 'POST':
        return { status: 202, headers: { location: SESSION } }
      case 'PUT': {
        const digest = digestOf(request.body ?? new Uint8Array())
        const wanted = searchParams.get('digest') ?? name
        if (wanted.startsWith('sha256:') && wanted !== digest)
          return { status: 400, body: '{"errors":[{"code":"DIGEST_INVALID"}]}' }
        has.add(wanted.startsWith('sha256:') ? digest : `${wanted}=${digest}`)
        return { status: 201 }
      }
      default:
        return { status: 204 }
    }
  }
  return Object.assign(server, { has })
}

interface Setup {
  readonly target: Target
  readonly transport: ScriptedTransport
  readonly events: RegistryEvent[]
  readonly hosts: RegistryHosts
}

function setup(server: Server, credentials = credentialChain([])): Setup {
  const transport = scripted(server)
  const hosts = new RegistryHosts({ transport, credentials })
  const events: RegistryEvent[] = []
  const deps = { hosts, side: 'target', sleep: () => Promise.resolve(), random: () => 0.5 } as const
  const target = openRepository(
    { host: 'reg.example.com', repository: 'team/app' },
    { ...deps, onEvent: event => events.push(event) },
  )
  return { target, transport, events, hosts }
}

const times = (
  n: number,
  said: Said | Silence,
  when: RegExp,
): ((request: Seen, line: string) => Said | Silence | undefined) => {
  let left = n
  return (_request, line) => (when.test(line) && left-- > 0 ? said : undefined)
}

const HEAD = `HEAD /v2/team/app/blobs/${layer.descriptor.digest}`
const POST = 'POST /v2/team/app/blobs/uploads/'
const PUT = 'PUT /v2/team/app/blobs/uploads/1'
const DELETE = 'DELETE /v2/team/app/blobs/uploads/1'

describe('pushing a blob', () => {
  test('takes three requests, and none that is not needed', async () => {
    const { target, transport } = setup(registry())
    expect(await target.push(layer)).toEqual({ how: 'uploaded', bytes: 5 })
    expect(await target.push(layer)).toEqual({ how: 'exists', bytes: 0 })
    expect(await target.has(layer.descriptor)).toBe(true)
    expect(transport.lines()).toEqual([HEAD, POST, PUT])
  })

  test('keeps the query of the Location byte for byte: it may be signed', async () => {
    const { target, transport } = setup(registry())
    await target.push(layer)
    const digest = encodeURIComponent(layer.descriptor.digest)
    expect(transport.seen.at(-1)?.url).toBe(`https://reg.example.com${SESSION}&digest=${digest}`)
  })

  test('sends nothing that is there', async () => {
    const server = registry()
    server.has.add(layer.descriptor.digest)
    expect(await setup(server).target.push(layer)).toEqual({ how: 'exists', bytes: 0 })
  })

  test('of several callers sends once, and tells the bytes once', async () => {
    const { target, transport } = setup(registry())
    const pushed = await Promise.all([target.push(layer), target.push(layer)])
    expect(pushed).toEqual([
      { how: 'uploaded', bytes: 5 },
      { how: 'exists', bytes: 0 },
    ])
    expect(transport.lines()).toEqual([HEAD, POST, PUT])
  })

  test.each<[string, Said | Silence, string]>([
    ['a registry that is restarting', { status: 503, body: 'starting' }, '503 starting'],
    ['a connection that is reset', { code: 'ECONNRESET' }, 'ECONNRESET'],
    [
      'a session that was lost',
      { status: 404, body: '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}' },
      '404 BLOB_UPLOAD_UNKNOWN',
    ],
    [
      'bytes that were damaged on the way',
      { status: 400, body: '{"errors":[{"code":"DIGEST_INVALID"}]}' },
      '400 DIGEST_INVALID',
    ],
  ])('survives %s', async (_name, said, reason) => {
    const { target, transport, events } = setup(registry(times(1, said, /^PUT/)))
    const deltas: number[] = []
    expect(await target.push(layer, { onBytes: delta => deltas.push(delta) })).toEqual({ how: 'uploaded', bytes: 10 })
    expect(transport.lines().filter(line => line !== DELETE)).toEqual([HEAD, POST, PUT, HEAD, POST, PUT])
    expect(deltas).toEqual([5, -5, 5])
    expect(events).toMatchObject([
      { type: 'upload-retry', host: 'reg.example.com', repository: 'team/app', attempt: 1, waitMs: 500, reason },
    ])
  })

  test('whose answer was lost does not send the layer twice', async () => {
    const server = registry()
    const { target, transport } = setup(
      registryOver(server, ({ method }) => (method === 'PUT' ? { code: 'ECONNRESET' } : undefined)),
    )
    expect(await target.push(layer)).toEqual({ how: 'uploaded', bytes: 5 })
    expect(transport.lines()).toEqual([HEAD, POST, PUT, DELETE, HEAD])
  })

  test('gives up after six attempts, cancels its session and says what the registry said', async () => {
    const { target, transport } = setup(registry(times(9, { status: 503, body: 'down for repair' }, /^PUT/)))
    await expect(target.push(layer)).rejects.toMatchObject({
      side: 'target',
      status: 503,
      detail: 'down for repair',
      retriable: true,
    })
    expect(transport.lines().filter(line => line === PUT)).toHaveLength(6)
    expect(transport.lines().at(-1)).toBe(DELETE)
  })

  test('does not wait for an hour because it is told to', async () => {
    const gaveUp = 'it asks to wait 3600 s, longer than 300 s'
    const { target, transport } = setup(registry(times(9, { status: 429, gaveUp }, /^PUT/)))
    await expect(target.push(layer)).rejects.toThrow(`429 (${gaveUp})`)
    expect(transport.lines()).toEqual([HEAD, POST, PUT, DELETE])
  })

  test('may be tried again by another caller after it failed', async () => {
    const { target } = setup(registry(times(1, { status: 403 }, /^PUT/)))
    await expect(target.push(layer)).rejects.toThrow('403')
    expect(await target.push(layer)).toMatchObject({ how: 'uploaded' })
  })

  test('does not repeat what is refused for good, and tells what to do', async () => {
    const { target, transport } = setup(
      registry(times(9, { status: 413, body: '<html><h1>413 Too Large</h1></html>' }, /^PUT/)),
    )
    await expect(target.push(layer)).rejects.toMatchObject({
      status: 413,
      hint: expect.stringContaining('client_max_body_size') as string,
    })
    expect(transport.lines()).toEqual([HEAD, POST, PUT, DELETE])
  })

  test('says that the bytes are wrong, and that it is not the registry', async () => {
    const { target } = setup(registry())
    const wrong = { ...blobOf('other'), descriptor: layer.descriptor }
    await expect(target.push(wrong)).rejects.toMatchObject({ name: 'IntegrityError' })
  })

  test.each([
    ['fewer', 'lay'],
    ['more', 'layers'],
  ])('leaves nothing behind when there are %s bytes than there should be', async (_name, text) => {
    const { target, transport } = setup(registry())
    await expect(target.push({ ...blobOf(text), descriptor: layer.descriptor })).rejects.toMatchObject({
      name: 'IntegrityError',
    })
    expect(transport.lines()).toEqual([HEAD, POST, DELETE])
  })

  test('that the user stops cancels its session, and the reason is not wrapped', async () => {
    const controller = new AbortController()
    const reason = new Error('stop')
    const { target, transport } = setup(registry())
    const stopping: Blob = {
      ...layer,
      // eslint-disable-next-line @typescript-eslint/require-await -- the type asks for an async source
      async *open() {
        controller.abort(reason)
        yield new TextEncoder().encode('layer')
      },
    }
    await expect(target.push(stopping, { signal: controller.signal })).rejects.toBe(reason)
    expect(transport.lines()).toEqual([HEAD, POST, DELETE])
  })

  test('cancels a session of distribution 3, which first has to be asked how far it came', async () => {
    const now = '/v2/team/app/blobs/uploads/1?_state=now'
    const { target, transport } = setup(
      registry(({ method, url }) => {
        if (method === 'PUT') return { status: 403 }
        if (method === 'GET') return { status: 204, headers: { location: now } }
        return method === 'DELETE' && !url.endsWith(now) ? { status: 416 } : undefined
      }),
    )
    await expect(target.push(layer)).rejects.toThrow('403')
    expect(
      transport.seen.slice(3).map(({ method, url }) => `${method} ${url.replace('https://reg.example.com', '')}`),
    ).toEqual([`DELETE ${SESSION}`, `GET ${SESSION}`, `DELETE ${now}`])
  })

  test.each([
    ['has no Location', undefined, 'without a Location'],
    ['leads into the network of the runner', 'https://192.168.0.1/x', '192.168.0.1 is a private address'],
    ['leads to plain http', 'http://storage.example.com/x', 'https to plain http'],
  ])('is not sent where the session %s', async (_name, location, because) => {
    const server = registry(times(9, { status: 202, headers: location === undefined ? {} : { location } }, /^POST/))
    const { target, transport } = setup(server)
    await expect(target.push(layer)).rejects.toThrow(because)
    expect(transport.lines()).toEqual([HEAD, POST])
  })

  test('GHSA-jxpm-75mh-9fp7: storage elsewhere gets the bytes, and no password', async () => {
    const wall: Server = request => {
      const url = new URL(request.url)
      if (url.host === 'storage.example.com') return { status: 201 }
      if (request.headers['authorization'] === undefined)
        return { status: 401, headers: { 'www-authenticate': 'Basic' } }
      return request.method === 'POST'
        ? { status: 202, headers: { location: 'https://storage.example.com/up?sig=1' } }
        : { status: 404 }
    }
    const given = givenCredentials([{ registry: 'reg.example.com', username: 'u', password: 'p', from: 'inputs' }])
    const { target, transport } = setup(wall, given)
    expect(await target.push(layer)).toMatchObject({ how: 'uploaded' })
    const put = transport.seen.at(-1)
    expect(put?.url).toMatch(/^https:\/\/storage\.example\.com\/up\?sig=1&digest=/)
    expect(put?.headers).not.toHaveProperty('authorization')
  })

  test('stays with https behind a proxy that hides it from the registry', async () => {
    const location = 'http://reg.example.com/v2/team/app/blobs/uploads/1?_state=x'
    const { target, transport } = setup(registry(times(1, { status: 202, headers: { location } }, /^POST/)))
    await target.push(layer)
    expect(transport.seen.at(-1)?.url).toMatch('https://reg.example.com/v2/team/app/blobs/uploads/1?_state=x&digest=')
  })

  test('asks GET when HEAD is refused: only its body tells why', async () => {
    const refuse = times(9, { status: 403, body: '{"errors":[{"code":"DENIED","message":"quota"}]}' }, /^(HEAD|GET)/)
    const { target } = setup(
      registry(refuse),
      givenCredentials([{ registry: 'reg.example.com', username: 'u', password: 'p', from: 'inputs' }]),
    )
    await expect(target.push(layer)).rejects.toThrow('403 DENIED quota')
  })
})

/** The registry does its work, but another answer arrives. */
function registryOver(server: Server, instead: (request: Seen) => Silence | undefined): Server {
  return request => {
    const said = server(request)
    return instead(request) ?? said
  }
}

describe('mounting', () => {
  const mountFrom = ['base/os', 'base/other']
  const queries = ({ seen }: ScriptedTransport): readonly string[] =>
    seen.filter(({ method }) => method === 'POST').map(({ url }) => new URL(url).searchParams.get('from') ?? '')

  test('sends nothing', async () => {
    const { target, transport } = setup(registry(times(1, { status: 201 }, /^POST/)))
    expect(await target.push(layer, { mountFrom })).toEqual({ how: 'mounted', bytes: 0 })
    expect(queries(transport)).toEqual(['base/os'])
  })

  test('that gives a session instead uses that very session', async () => {
    const { target, transport } = setup(registry())
    expect(await target.push(layer, { mountFrom: ['base/os'] })).toEqual({ how: 'uploaded', bytes: 5 })
    expect(transport.lines()).toEqual([HEAD, POST, PUT])
  })

  test.each<[string, Said | Silence]>([
    ['401', { status: 401 }],
    ['403', { status: 403 }],
    ['404', { status: 404, body: '{"errors":[{"code":"NAME_UNKNOWN"}]}' }],
    ['400', { status: 400 }],
    ['405', { status: 405 }],
    ['500', { status: 500 }],
  ])('that is refused with %s never fails a push, and is not asked for again', async (_name, said) => {
    const { target, transport } = setup(registry(times(2, said, /^POST/)))
    expect(await target.push(layer, { mountFrom })).toMatchObject({ how: 'uploaded' })
    expect(await target.push(blobOf('another'), { mountFrom })).toMatchObject({ how: 'uploaded' })
    expect(queries(transport)).toEqual(['base/os', 'base/other', '', ''])
  })

  test('from the repository itself is not asked for', async () => {
    const { target, transport } = setup(registry())
    await target.push(layer, { mountFrom: ['team/app'] })
    expect(queries(transport)).toEqual([''])
  })
})

describe('pushing a manifest', () => {
  const path = `/v2/team/app/manifests/${manifest.descriptor.digest}`

  test('that was looked for a moment ago does not look for it again', async () => {
    const { target, transport } = setup(registry())
    expect(await target.has(manifest.descriptor)).toBe(false)
    expect(await target.push(manifest)).toEqual({ how: 'uploaded', bytes: 2 })
    expect(transport.lines()).toEqual([`HEAD ${path}`, `PUT ${path}`])
  })

  test('puts it under its digest, so that no tag moves yet', async () => {
    const { target, transport } = setup(registry())
    expect(await target.push(manifest)).toEqual({ how: 'uploaded', bytes: 2 })
    expect(transport.lines()).toEqual([`HEAD ${path}`, `PUT ${path}`])
    expect(transport.seen[1]?.headers).toMatchObject({ 'content-type': OCI_MANIFEST })
  })

  const unknown: Said = { status: 400, body: '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","detail":"sha256:ab"}]}' }

  test('waits for a registry that does not see its layers yet', async () => {
    const { target } = setup(registry(times(2, unknown, /^PUT/)))
    expect(await target.push(manifest)).toMatchObject({ how: 'uploaded' })
  })

  test('says which layer is missing when it stays missing', async () => {
    const { target, transport } = setup(registry(times(9, unknown, /^PUT/)))
    await expect(target.push(manifest)).rejects.toThrow('MANIFEST_BLOB_UNKNOWN sha256:ab')
    expect(transport.lines().filter(line => line.startsWith('PUT'))).toHaveLength(3)
  })

  test('is an error where the registry makes another digest of it', async () => {
    const headers = { 'docker-content-digest': digestOf(new Uint8Array()) }
    const { target } = setup(registry(times(1, { status: 201, headers }, /^PUT/)))
    await expect(target.push(manifest)).rejects.toMatchObject({ name: 'IntegrityError' })
  })
})

describe('tag()', () => {
  const tagPath = (name: string): string => `/v2/team/app/manifests/${name}`

  test('moves what has to be moved, and nothing else', async () => {
    const server = registry()
    server.has.add(`v1=${manifest.descriptor.digest}`)
    const { target, transport } = setup(server)
    await target.tag(manifest, ['v1', 'latest'])
    expect(transport.lines()).toEqual([
      `HEAD ${tagPath('v1')}`,
      `HEAD ${tagPath('latest')}`,
      `PUT ${tagPath('latest')}`,
    ])
  })

  const puts = ({ seen }: ScriptedTransport): readonly string[] =>
    seen.filter(({ method }) => method === 'PUT').map(({ url }) => url.replace(/^.*manifests\//, ''))
  const { digest } = manifest.descriptor

  test.each([
    ['in one header', ['v1, v1.2']],
    ['in several headers', ['v1', 'v1.2']],
  ])('moves all at once, and by itself what the registry does not say, %s, that it moved', async (_name, moved) => {
    const { target, transport } = setup(
      registry(({ method, url }) =>
        method === 'PUT' && url.includes('?') ? { status: 201, headers: { 'OCI-Tag': moved } } : undefined,
      ),
    )
    await target.tag(manifest, ['v1', 'v1.2', 'latest'])
    expect(puts(transport)).toEqual([`${digest}?tag=v1&tag=v1.2&tag=latest`, 'latest'])
  })

  test('asks a registry that takes several for no more than ten at a time', async () => {
    const { target, transport } = setup(
      registry(({ method, url }) => {
        const tags = new URL(url).searchParams.getAll('tag')
        return method === 'PUT' && tags.length > 0 ? { status: 201, headers: { 'OCI-Tag': tags } } : undefined
      }),
    )
    await target.tag(
      manifest,
      Array.from({ length: 12 }, (_, i) => `v${i}`),
    )
    expect(puts(transport).map(path => path.split('tag=').length - 1)).toEqual([10, 2])
  })

  test.each([
    ['ignores', undefined],
    ['refuses', { status: 404 }],
  ])(
    'costs one request where a registry %s several at a time, however many repositories there are',
    async (_n, said) => {
      const { target, transport, hosts } = setup(registry(({ url }) => (url.includes('?') ? said : undefined)))
      await target.tag(manifest, ['v1', 'v2'])
      const other = openRepository({ host: 'reg.example.com', repository: 'team/other' }, { hosts, side: 'target' })
      await other.tag(manifest, ['v3', 'v4'])
      expect(puts(transport)).toEqual([`${digest}?tag=v1&tag=v2`, 'v1', 'v2', 'v3', 'v4'])
    },
  )

  test('asks one by one where several at a time are known to cost more', async () => {
    const { transport, hosts } = setup(registry())
    const host = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'
    await openRepository({ host, repository: 'app' }, { hosts, side: 'target' }).tag(manifest, ['v1', 'v2'])
    expect(puts(transport)).toEqual(['v1', 'v2'])
  })

  test('takes an immutable tag that has our digest for what was wanted', async () => {
    let refused = false
    const { target } = setup(
      registry((request, line) => {
        if (line === `PUT ${tagPath('v1')}`) {
          refused = true
          return { status: 400, body: '{"errors":[{"code":"TAG_INVALID","message":"the tag is immutable"}]}' }
        }
        const headers = {
          'docker-content-digest': manifest.descriptor.digest,
          'content-type': OCI_MANIFEST,
          'content-length': '2',
        }
        return request.method === 'HEAD' && refused ? { status: 200, headers } : undefined
      }),
    )
    await expect(target.tag(manifest, ['v1'])).resolves.toBeUndefined()
  })

  test('tells which tags moved and which did not', async () => {
    const immutable: Said = {
      status: 400,
      body: '{"errors":[{"code":"TAG_INVALID","message":"the tag is immutable"}]}',
    }
    const { target } = setup(registry(times(9, immutable, /^PUT .*\/v1$/)))
    await expect(target.tag(manifest, ['latest', 'v1', 'v1.2'])).rejects.toMatchObject({
      name: 'TagError',
      moved: ['latest', 'v1.2'],
      failed: ['v1'],
      message: expect.stringContaining('the tag is immutable') as string,
    })
  })

  test('does not knock for every tag at a registry that is gone', async () => {
    const { target, transport } = setup(registry(times(9, { code: 'ECONNREFUSED' }, /./)))
    await expect(target.tag(manifest, ['a', 'b', 'c'])).rejects.toMatchObject({ moved: [], failed: ['a', 'b', 'c'] })
    expect(transport.seen).toHaveLength(1)
  })
})

test('a push without credentials says where they were looked for', async () => {
  const { target } = setup(
    registry(times(9, { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }, /./)),
    givenCredentials([]),
  )
  await expect(target.push(layer)).rejects.toMatchObject({
    name: 'AuthError',
    code: 'UNAUTHORIZED',
    message: expect.stringMatching(/^no credentials for reg\.example\.com, .*; looked at: inputs/) as string,
  })
})

test('places and mount domains have one spelling', () => {
  const { hosts } = setup(registry())
  const hub = openRepository({ host: 'index.docker.io', repository: 'library/alpine' }, { hosts, side: 'source' })
  expect([hub.place, hub.mountDomain]).toEqual(['docker.io/library/alpine', 'docker.io'])
})
