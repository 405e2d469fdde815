import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SpecRegistry, SpecRegistryOptions } from './spec-registry.ts'
import { startSpecRegistry } from './spec-registry.ts'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const INDEX = 'application/vnd.oci.image.index.v1+json'
const USER = { username: 'robot', password: 'secret' }
const BASIC = { authorization: `Basic ${Buffer.from('robot:secret').toString('base64')}` }

function digestOf(bytes: string, algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}

function ask(registry: SpecRegistry, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(new URL(path, registry.url), init)
}

async function errorCodes(response: Response): Promise<string[]> {
  const { errors } = (await response.json()) as { errors: { code: string }[] }
  return errors.map(({ code }) => code)
}

async function startUpload(registry: SpecRegistry, headers: Record<string, string> = {}): Promise<string> {
  const response = await ask(registry, '/v2/team/app/blobs/uploads/', { method: 'POST', headers })
  expect(response.status).toBe(202)
  return response.headers.get('location') ?? ''
}

async function pushBlob(registry: SpecRegistry, bytes: string, algorithm = 'sha256'): Promise<string> {
  const location = await startUpload(registry)
  const digest = digestOf(bytes, algorithm)
  const response = await ask(registry, `${location}&digest=${digest}`, { method: 'PUT', body: bytes })
  expect(response.status).toBe(201)
  expect(response.headers.get('docker-content-digest')).toBe(digest)
  return digest
}

function putManifest(registry: SpecRegistry, reference: string, document: object): Promise<Response> {
  return ask(registry, `/v2/team/app/manifests/${reference}`, {
    method: 'PUT',
    headers: { 'content-type': 'manifests' in document ? INDEX : MANIFEST },
    body: JSON.stringify(document),
  })
}

async function imageOf(registry: SpecRegistry, more: object = {}): Promise<object> {
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: await pushBlob(registry, '{}'),
    size: 2,
  }
  return { schemaVersion: 2, mediaType: MANIFEST, config, layers: [], ...more }
}

describe('blobs', () => {
  test.each([
    ['the first bytes', 'bytes=0-3', 206, 'bytes 0-3/10', '0123'],
    ['from the middle', 'bytes=7-', 206, 'bytes 7-9/10', '789'],
    ['the last bytes', 'bytes=-2', 206, 'bytes 8-9/10', '89'],
    ['past the end', 'bytes=8-99', 206, 'bytes 8-9/10', '89'],
    ['beyond the end', 'bytes=10-', 416, 'bytes */10', undefined],
    ['several ranges, which it may ignore', 'bytes=0-1,3-4', 200, null, '0123456789'],
    ['backwards, which it must ignore', 'bytes=4-2', 200, null, '0123456789'],
  ])('a download can ask for %s', async (_name, range, status, contentRange, text) => {
    await using registry = await startSpecRegistry()
    const digest = await pushBlob(registry, '0123456789')

    const response = await ask(registry, `/v2/team/app/blobs/${digest}`, { headers: { range } })

    expect(response.status).toBe(status)
    expect(response.headers.get('content-range')).toBe(contentRange)
    const body = await response.text()
    expect(text === undefined || body === text).toBe(true)
  })

  test('bytes that are not what their digest says are refused, and the session is gone', async () => {
    await using registry = await startSpecRegistry()
    const location = await startUpload(registry)

    const wrong = await ask(registry, `${location}&digest=${digestOf('other')}`, { method: 'PUT', body: 'bytes' })

    expect(wrong.status).toBe(400)
    expect(await errorCodes(wrong)).toEqual(['DIGEST_INVALID'])
    expect((await ask(registry, location)).status).toBe(404)
    expect(registry.openUploads).toBe(0)
  })

  test('chunks arrive in order or are refused with the place to go on from', async () => {
    await using registry = await startSpecRegistry({ location: 'absolute' })
    const patch = (location: string, range: string, body: string): Promise<Response> =>
      ask(registry, location, { method: 'PATCH', headers: { 'content-range': range }, body })
    const first = await patch(await startUpload(registry), '0-3', '0123')
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-3'])
    const second = first.headers.get('location') ?? ''
    expect(second).toMatch(/^http:/)

    const gap = await patch(second, '6-9', '6789')
    expect([gap.status, gap.headers.get('range')]).toEqual([416, '0-3'])
    expect(await errorCodes(await patch(second, '4-9', '45'))).toEqual(['SIZE_INVALID'])

    const status = await ask(registry, second)
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-3'])
    const last = await ask(registry, `${status.headers.get('location') ?? ''}&digest=${digestOf('0123456789')}`, {
      method: 'PUT',
      headers: { 'content-range': '4-9' },
      body: '456789',
    })
    expect(last.status).toBe(201)
  })

  test('an old Location is refused: the newest one counts', async () => {
    await using registry = await startSpecRegistry()
    const location = await startUpload(registry)
    await ask(registry, location, { method: 'PATCH', body: 'abc' })

    const replay = await ask(registry, location, { method: 'PATCH', body: 'abc' })

    expect([replay.status, replay.headers.get('range')]).toEqual([416, '0-2'])
  })

  test('only the last chunk may be shorter than the registry asked for', async () => {
    await using registry = await startSpecRegistry({ minChunkBytes: 4 })
    const start = await ask(registry, '/v2/team/app/blobs/uploads/', { method: 'POST' })
    expect(start.headers.get('oci-chunk-min-length')).toBe('4')
    const short = await ask(registry, start.headers.get('location') ?? '', { method: 'PATCH', body: 'abc' })
    expect(short.status).toBe(202)

    const another = await ask(registry, short.headers.get('location') ?? '', { method: 'PATCH', body: 'defg' })

    expect(await errorCodes(another)).toEqual(['SIZE_INVALID'])
  })

  test('a cancelled upload is gone', async () => {
    await using registry = await startSpecRegistry()
    const location = await startUpload(registry)
    expect((await ask(registry, location, { method: 'DELETE' })).status).toBe(204)
    expect((await ask(registry, location)).status).toBe(404)
  })

  test.each([
    ['mounts what the other repository has', {}, 'team/app', 201],
    ['opens an upload for what it has not', {}, 'team/empty', 202],
    ['opens an upload where mounting is off', { mount: false }, 'team/app', 202],
  ])('%s', async (_name, options: SpecRegistryOptions, from, status) => {
    await using registry = await startSpecRegistry(options)
    const digest = await pushBlob(registry, 'layer')

    const response = await ask(registry, `/v2/team/new/blobs/uploads/?mount=${digest}&from=${from}`, { method: 'POST' })

    expect(response.status).toBe(status)
    expect(await registry.blob('team/new', digest)).toEqual(status === 201 ? Buffer.from('layer') : undefined)
  })

  test('blobs are in files where a folder is given', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'spec-registry-'))
    try {
      await using registry = await startSpecRegistry({ directory })
      const digest = await pushBlob(registry, 'layer', 'sha512')
      await startUpload(registry)

      expect(await readdir(directory)).toContain(digest.replace(':', '-'))
      expect(await registry.blob('team/app', digest)).toEqual(Buffer.from('layer'))
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})

describe('manifests', () => {
  test('what points at content that is not there is refused, and all of it is named', async () => {
    await using registry = await startSpecRegistry()
    const layers = ['one', 'two'].map(text => ({ mediaType: 'x/layer', digest: digestOf(text), size: 3 }))

    const response = await putManifest(registry, 'v1', await imageOf(registry, { layers }))

    expect(response.status).toBe(400)
    const { errors } = (await response.json()) as { errors: { code: string; detail: unknown }[] }
    expect(errors.map(({ code, detail }) => ({ code, detail }))).toEqual(
      layers.map(({ digest }) => ({ code: 'MANIFEST_BLOB_UNKNOWN', detail: { digest } })),
    )
    expect(registry.manifest('team/app', 'v1')).toBeUndefined()
  })

  test('an index wants its children first', async () => {
    await using registry = await startSpecRegistry()
    const image = await imageOf(registry)
    const digest = digestOf(JSON.stringify(image))
    const index = { schemaVersion: 2, mediaType: INDEX, manifests: [{ mediaType: MANIFEST, digest, size: 1 }] }
    expect(await errorCodes(await putManifest(registry, 'v1', index))).toEqual(['MANIFEST_BLOB_UNKNOWN'])

    await putManifest(registry, digest, image)
    expect((await putManifest(registry, 'v1', index)).status).toBe(201)
  })

  test('several tags move in one request where the registry says so', async () => {
    await using registry = await startSpecRegistry()
    const image = await imageOf(registry)
    const digest = digestOf(JSON.stringify(image))

    const response = await putManifest(registry, `${digest}?tag=v1&tag=latest`, image)

    expect(response.headers.get('oci-tag')).toBe('v1, latest')
    expect(registry.tags('team/app')).toEqual(
      new Map([
        ['v1', digest],
        ['latest', digest],
      ]),
    )
    const many = Array.from({ length: 11 }, (_, i) => `tag=t${i}`).join('&')
    expect((await putManifest(registry, `${digest}?${many}`, image)).status).toBe(414)
  })

  test('without that, ?tag= is ignored and there is no OCI-Tag, as on most registries', async () => {
    await using registry = await startSpecRegistry({ multiTag: false })
    const image = await imageOf(registry)
    const response = await putManifest(registry, `${digestOf(JSON.stringify(image))}?tag=v1`, image)
    expect([response.status, response.headers.get('oci-tag')]).toEqual([201, null])
    expect(registry.tags('team/app').size).toBe(0)
  })

  test.each([
    ['nothing', undefined, 200],
    ['the type', `${INDEX}, ${MANIFEST};q=0.5`, 200],
    ['anything', 'application/*', 200],
    ['another type only', INDEX, 404],
  ])('a manifest is there for a client that accepts %s', async (_name, accept, status) => {
    await using registry = await startSpecRegistry()
    await putManifest(registry, 'v1', await imageOf(registry))
    const response = await ask(
      registry,
      '/v2/team/app/manifests/v1',
      accept === undefined ? {} : { headers: { accept } },
    )
    expect(response.status).toBe(status)
  })

  test('tags come in pages', async () => {
    await using registry = await startSpecRegistry()
    const image = await imageOf(registry)
    for (const tag of ['c', 'a', 'b']) await putManifest(registry, tag, image)

    const first = await ask(registry, '/v2/team/app/tags/list?n=2')
    const link = first.headers.get('link') ?? ''
    const second = await ask(registry, /^<([^>]*)>; rel="next"$/.exec(link)?.[1] ?? '')

    expect(await first.json()).toEqual({ name: 'team/app', tags: ['a', 'b'] })
    expect(await second.json()).toEqual({ name: 'team/app', tags: ['c'] })
    expect(second.headers.get('link')).toBeNull()
  })

  test('what refers to a subject is listed, by type and in pages', async () => {
    await using registry = await startSpecRegistry({ referrersPerPage: 1 })
    const subject = { mediaType: MANIFEST, digest: digestOf('subject'), size: 7 }
    const put = async (artifactType: string): Promise<void> => {
      const response = await putManifest(registry, artifactType, await imageOf(registry, { artifactType, subject }))
      expect(response.headers.get('oci-subject')).toBe(subject.digest)
    }
    await put('signature')
    await put('sbom')
    await put('sbom.old')
    const list = `/v2/team/app/referrers/${subject.digest}`

    const all = await ask(registry, list)
    expect(all.headers.get('link')).toBe(`<${list}?from=1>; rel="next"`)
    const filtered = await ask(registry, `${list}?artifactType=sbom`)
    expect(filtered.headers.get('oci-filters-applied')).toBe('artifactType')
    expect(filtered.headers.get('link')).toBeNull()
    const { manifests } = (await filtered.json()) as { manifests: unknown[] }
    expect(manifests).toEqual([expect.objectContaining({ artifactType: 'sbom', mediaType: MANIFEST })])
  })

  test('without the referrers API there is neither a list nor OCI-Subject', async () => {
    await using registry = await startSpecRegistry({ referrers: false })
    const subject = { mediaType: MANIFEST, digest: digestOf('subject'), size: 7 }
    const pushed = await putManifest(registry, 'x', await imageOf(registry, { subject }))
    expect(pushed.headers.get('oci-subject')).toBeNull()
    expect((await ask(registry, `/v2/team/app/referrers/${subject.digest}`)).status).toBe(404)
  })
})

describe('authentication', () => {
  test('Basic: the password itself', async () => {
    await using registry = await startSpecRegistry({ auth: { scheme: 'basic', ...USER } })
    const refused = await ask(registry, '/v2/')
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="spec-registry"'])
    expect((await ask(registry, '/v2/', { headers: BASIC })).status).toBe(200)
    expect(registry.requests.map(({ authorization }) => authorization)).toEqual([undefined, 'Basic'])
  })

  async function tokenFor(registry: SpecRegistry, ...scopes: readonly string[]): Promise<Record<string, string>> {
    const query = new URLSearchParams(scopes.map((scope): [string, string] => ['scope', scope]))
    const response = await ask(registry, `/token?${query.toString()}`, { headers: BASIC })
    const { token } = (await response.json()) as { token: string }
    return { authorization: `Bearer ${token}` }
  }

  test('Bearer: a token for what the challenge names, until it expires', async () => {
    await using registry = await startSpecRegistry({ auth: { scheme: 'bearer', ...USER } })
    const path = '/v2/team/app/blobs/uploads/'
    const refused = await ask(registry, path, { method: 'POST' })
    expect(refused.headers.get('www-authenticate')).toBe(
      `Bearer realm="http://${registry.host}/token",service="${registry.host}",scope="repository:team/app:pull,push"`,
    )

    const reader = await tokenFor(registry, 'repository:team/app:pull')
    const narrow = await ask(registry, path, { method: 'POST', headers: reader })
    expect(narrow.headers.get('www-authenticate')).toContain('error="insufficient_scope"')

    const writer = await tokenFor(registry, 'repository:team/app:pull,push')
    await startUpload(registry, writer)
    registry.expireTokens()
    const late = await ask(registry, path, { method: 'POST', headers: writer })
    expect(late.headers.get('www-authenticate')).toContain('error="invalid_token"')
  })

  test('Bearer: a mount needs to pull from the other repository too', async () => {
    const grants = (repository: string): readonly ('pull' | 'push')[] =>
      repository === 'team/app' ? ['pull', 'push'] : []
    await using registry = await startSpecRegistry({ auth: { scheme: 'bearer', ...USER, grants } })
    const headers = await tokenFor(registry, 'repository:team/app:pull,push', 'repository:other/base:pull')
    const path = `/v2/team/app/blobs/uploads/?mount=${digestOf('layer')}&from=other/base`

    const refused = await ask(registry, path, { method: 'POST', headers })

    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toContain(
      'scope="repository:team/app:pull,push repository:other/base:pull"',
    )
  })

  test('Bearer: a wrong password gets no token, by either way of asking', async () => {
    await using registry = await startSpecRegistry({ auth: { scheme: 'bearer', ...USER } })
    expect((await ask(registry, '/token?service=x')).status).toBe(401)
    const form = { grant_type: 'password', username: 'robot', password: 'wrong', access_type: 'offline' }
    const post = (body: Record<string, string>): Promise<Response> =>
      ask(registry, '/token', { method: 'POST', body: new URLSearchParams(body) })
    expect((await post(form)).status).toBe(401)
    const given = (await (await post({ ...form, password: 'secret' })).json()) as { refresh_token: string }
    expect((await post({ grant_type: 'refresh_token', refresh_token: given.refresh_token })).status).toBe(200)
  })
})

describe('faults', () => {
  const LAYER = 'x'.repeat(100_000)

  test('an answer instead of the work, on the nth request that matches', async () => {
    await using registry = await startSpecRegistry()
    registry.fail({ method: 'GET', path: /^\/v2\/$/, nth: 2 }, { status: 429, headers: { 'retry-after': '1' } })
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await ask(registry, '/v2/')).status)
    expect(statuses).toEqual([200, 429, 200])
    expect(registry.requests.map(({ status }) => status)).toEqual(statuses)
  })

  test.each([
    ['lost', false, 0],
    ['kept where the registry can resume', true, 50_000],
  ])('a request that is cut: what came is %s', async (_name, resumable, kept) => {
    await using registry = await startSpecRegistry({ resumable })
    const location = await startUpload(registry)
    registry.fail({ method: 'PATCH' }, { cutRequestAfter: 50_000 })

    await expect(ask(registry, location, { method: 'PATCH', body: LAYER })).rejects.toThrow('fetch failed')

    expect(registry.requests.at(-1)).toMatchObject({ method: 'PATCH', bodyBytes: 50_000, status: 0 })
    const status = await ask(registry, location)
    expect(status.headers.get('range')).toBe(`0-${Math.max(0, kept - 1)}`)
  })

  test('a lost answer: the work is done, and nobody heard of it', async () => {
    await using registry = await startSpecRegistry()
    const location = await startUpload(registry)
    const digest = digestOf(LAYER)
    registry.fail({ method: 'PUT' }, { lostAnswer: true })
    const put = (): Promise<Response> => ask(registry, `${location}&digest=${digest}`, { method: 'PUT', body: LAYER })

    await expect(put()).rejects.toThrow('fetch failed')

    expect((await ask(registry, `/v2/team/app/blobs/${digest}`, { method: 'HEAD' })).status).toBe(200)
    expect((await put()).status).toBe(404)
  })

  test('an answer that is cut announces its whole length', async () => {
    await using registry = await startSpecRegistry()
    const digest = await pushBlob(registry, LAYER)
    registry.fail({ method: 'GET', path: digest }, { cutResponseAfter: 10_000 })

    const response = await ask(registry, `/v2/team/app/blobs/${digest}`)

    expect(response.headers.get('content-length')).toBe('100000')
    await expect(response.arrayBuffer()).rejects.toThrow('terminated')
  })

  test('a reset, as often as asked for', async () => {
    await using registry = await startSpecRegistry()
    registry.fail({ path: '/v2/' }, { reset: true })
    await expect(ask(registry, '/v2/')).rejects.toThrow('fetch failed')
    expect((await ask(registry, '/v2/')).status).toBe(200)
  })

  test('a hang ends when the client gives up, and does not keep the registry from stopping', async () => {
    await using registry = await startSpecRegistry()
    registry.fail({ path: '/v2/', times: Infinity }, { hang: true })
    const controller = new AbortController()
    const asked = ask(registry, '/v2/', { signal: controller.signal })
    while (registry.requests.length === 0) await new Promise(setImmediate)
    controller.abort(new Error('enough'))
    await expect(asked).rejects.toThrow('enough')
    void ask(registry, '/v2/').catch(() => undefined)
  })

  test('an early refusal comes before the body has been read', async () => {
    await using registry = await startSpecRegistry()
    const location = await startUpload(registry)
    registry.fail({ method: 'PUT' }, { status: 413, early: true })
    const response = await ask(registry, `${location}&digest=${digestOf(LAYER)}`, { method: 'PUT', body: LAYER })
    expect(response.status).toBe(413)
    expect(registry.requests.at(-1)?.bodyBytes).toBe(0)
  })
})

test.each([
  ['GET', '/v2/UPPER/tags/list', 400, 'NAME_INVALID'],
  ['GET', '/v2/team/none/tags/list', 404, 'NAME_UNKNOWN'],
  ['GET', '/v2/team/app/blobs/sha256:short', 400, 'DIGEST_INVALID'],
  ['GET', '/v2/team/app/manifests/none', 404, 'MANIFEST_UNKNOWN'],
  ['PATCH', '/v2/team/app/manifests/none', 405, 'UNSUPPORTED'],
  ['GET', '/v2/team/app/else', 404, 'NAME_UNKNOWN'],
  ['PUT', '/v2/team/app/manifests/v1', 400, 'MANIFEST_INVALID'],
])('%s %s is refused with the code of the specification', async (method, path, status, code) => {
  await using registry = await startSpecRegistry()
  const response = await ask(registry, path, { method })
  expect(response.status).toBe(status)
  expect(await errorCodes(response)).toEqual([code])
})
