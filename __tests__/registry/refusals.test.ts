import { bytesBlob, type Blob } from '../../src/content/blob.ts'
import type { Target } from '../../src/content/ports.ts'
import type { Side } from '../../src/errors.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { givenCredentials } from '../../src/registry/credentials/inputs.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository } from '../../src/registry/registry.ts'
import { scripted, type Said, type Seen, type Server, type Silence } from './scripted.ts'

const blobOf = (text: string, mediaType = 'application/x'): Blob => {
  const bytes = new TextEncoder().encode(text)
  return bytesBlob({ bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength } })
}
const layer = blobOf('layer')
const manifest = blobOf('{}', OCI_MANIFEST)

const SESSION: Said = { status: 202, headers: { location: '/v2/team/app/blobs/uploads/1' } }
const CHALLENGE = 'Bearer realm="https://auth.example.com/token",service="reg"'

/** Nothing is there, everything is taken, but for what `refuse` says. */
function serverOf(refuse: (request: Seen) => Said | Silence | undefined): Server {
  return request => {
    const refused = refuse(request)
    if (refused) return refused
    if (request.method === 'HEAD') return { status: 404 }
    return request.method === 'POST' ? SESSION : { status: 201 }
  }
}

interface Options {
  readonly host?: string
  readonly side?: Side
  readonly credentials?: boolean
}

function repositoryOf(
  server: Server,
  { host = 'reg.example.com', side = 'target', credentials = true }: Options = {},
): Target {
  const given = credentials ? [{ registry: host, username: 'u', password: 'wrong-or-right', from: 'inputs' }] : []
  const hosts = new RegistryHosts({ transport: scripted(server), credentials: givenCredentials(given) })
  const deps = { hosts, side, sleep: () => Promise.resolve(), random: () => 0 } as const
  return openRepository({ host, repository: 'team/app' }, deps)
}

const json = (code: string, message: string): string => JSON.stringify({ errors: [{ code, message }] })
const when =
  (method: string, said: Said) =>
  (request: Seen): Said | undefined =>
    request.method === method ? said : undefined

const thrown = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing',
    (error: unknown) => error,
  )

/** Shows a token to whoever has the password, and lets nobody write. */
const readOnly: Server = serverOf(({ method, url, headers }) => {
  if (url.startsWith('https://auth.example.com/')) return { status: 200, body: '{"token":"t"}' }
  if (headers['authorization'] === 'Bearer t' && method !== 'POST') return undefined
  return {
    status: 401,
    headers: { 'www-authenticate': `${CHALLENGE},scope="repository:team/app:pull,push",error="insufficient_scope"` },
    body: json('UNAUTHORIZED', 'authentication required'),
  }
})

describe('who may only read', () => {
  test('and has a token is not told that the password is wrong', async () => {
    const error = await thrown(repositoryOf(readOnly).push(layer))
    expect(error).toMatchObject({
      name: 'AuthError',
      message: expect.stringMatching(
        /^the credentials of inputs may not push to reg\.example\.com\/team\/app: .*401 UNAUTHORIZED authentication required/,
      ) as string,
      hint: 'give them the right to write to "team/app", or use others; they are valid, only not for this',
    })
    expect(`${String(error)}${(error as { hint: string }).hint}`).not.toMatch(/password|refused the credentials/)
  })

  test('and is refused with 403 is told so', async () => {
    const refused = repositoryOf(serverOf(when('POST', { status: 403, body: json('DENIED', 'access denied') })))
    await expect(refused.push(layer)).rejects.toMatchObject({
      name: 'RegistryError',
      status: 403,
      hint: 'the credentials of inputs may not push to reg.example.com/team/app: give them the right to write to "team/app"',
    })
  })

  test('with a password, where reads were answered, is told both that it may be', async () => {
    const server = serverOf(when('POST', { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } }))
    await expect(repositoryOf(server).push(layer)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^reg\.example\.com does not let the credentials of inputs push to team\/app: /,
      ) as string,
      hint: 'give them the right to write to "team/app" if they are valid, else check username and password',
    })
  })

  test('at ghcr.io gets the line that the job lacks', async () => {
    const server = serverOf(when('POST', { status: 403, body: json('DENIED', 'permission_denied: write_package') }))
    await expect(repositoryOf(server, { host: 'ghcr.io' }).push(layer)).rejects.toMatchObject({
      message: expect.stringContaining('403 DENIED permission_denied: write_package') as string,
      hint: expect.stringContaining('permissions: packages: write') as string,
    })
  })

  test('from a source is told that it may not read', async () => {
    const server = serverOf(() => ({ status: 403, body: json('DENIED', 'private') }))
    await expect(repositoryOf(server, { side: 'source' }).resolve('v1')).rejects.toMatchObject({
      hint: 'the credentials of inputs may not read reg.example.com/team/app: give them the right to read "team/app"',
    })
  })
})

test('a wrong password is called wrong', async () => {
  const server = serverOf(() => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } }))
  await expect(repositoryOf(server).push(layer)).rejects.toMatchObject({
    message: expect.stringMatching(/^reg\.example\.com refused the credentials of inputs: /) as string,
    hint: 'check username and password, or run "docker login reg.example.com" again',
  })
})

test('credentials that have expired are called expired', async () => {
  const body = json('UNAUTHORIZED', 'the token has expired')
  const server = serverOf(() => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="r"' }, body }))
  await expect(repositoryOf(server).push(layer)).rejects.toMatchObject({
    hint: 'the credentials have expired: make new ones, or run "docker login reg.example.com" again',
  })
})

describe('a push that is refused says what to do when', () => {
  test.each<[string, Said, message: string, hint: string]>([
    [
      'the repository is missing',
      { status: 404, body: json('NAME_UNKNOWN', 'repository name not known to registry') },
      'could not start to push blob',
      'this registry does not create repositories on push: create "team/app" first',
    ],
    [
      'a quota is spent',
      { status: 403, body: json('DENIED', 'requested storage exceeds the quota of the project') },
      '403 DENIED requested storage exceeds the quota of the project',
      'there is no room left for reg.example.com/team/app: delete old images, or have the quota raised',
    ],
    [
      'a web page comes instead',
      { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: '<title>Sign in</title><p>Hello' },
      '200 Sign in Hello',
      'reg.example.com answered with a web page: is it a registry, or does a proxy or a login page answer in its place?',
    ],
  ])('%s', async (_name, said, message, hint) => {
    await expect(repositoryOf(serverOf(when('POST', said))).push(layer)).rejects.toMatchObject({
      message: expect.stringContaining(message) as string,
      hint,
    })
  })

  test('the layer is too large for a proxy', async () => {
    const said = { status: 413, body: '<html><title>413 Request Entity Too Large</title></html>' }
    await expect(repositoryOf(serverOf(when('PUT', said))).push(layer)).rejects.toMatchObject({
      message: expect.stringContaining('413 413 Request Entity Too Large') as string,
      hint: 'a proxy in front of the registry limits the size of a request: raise it (nginx: client_max_body_size 0)',
    })
  })

  test('the manifest is too large', async () => {
    const server = serverOf(when('PUT', { status: 413, body: json('MANIFEST_INVALID', 'too large') }))
    await expect(repositoryOf(server).push(manifest)).rejects.toMatchObject({
      message: expect.stringContaining('could not push manifest sha256:') as string,
      hint: 'registries take manifests of up to 4 MiB: fewer layers, shorter annotations, or an index in parts',
    })
  })

  test('a tag is immutable', async () => {
    const body = json('TAG_INVALID', "The image tag 'v1' already exists and cannot be overwritten")
    const server = serverOf(when('PUT', { status: 400, body }))
    await expect(repositoryOf(server).tag(manifest, ['v1'])).rejects.toMatchObject({
      message: expect.stringContaining('cannot be overwritten') as string,
      cause: {
        hint: 'the tag is immutable and points at something else: choose a new tag, or set "on-existing-tag: skip"',
      },
    })
  })

  test('nobody trusts the certificate', async () => {
    const server: Server = () => ({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT', retriable: false })
    await expect(repositoryOf(server).push(layer)).rejects.toMatchObject({
      code: 'UNREACHABLE',
      hint:
        "set NODE_EXTRA_CA_CERTS to a file with the certificate of the authority that signed the registry's, or put it " +
        'into /etc/docker/certs.d/reg.example.com/ca.crt',
    })
  })
})

test('a login page that says yes to everything is not taken for a registry that has all layers', async () => {
  const page = { status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>Welcome to Wifi</h1>' }
  const repository = repositoryOf(() => page)
  const hint = expect.stringContaining('answered with a web page') as string
  await expect(repository.has(layer.descriptor)).rejects.toMatchObject({ hint })
  await expect(repository.push(layer)).rejects.toMatchObject({ hint })
  await expect(repository.resolve('v1')).rejects.toMatchObject({ hint })
})

test('empty answers that Quay calls pages are answers', async () => {
  const headers = { 'content-type': 'text/html; charset=utf-8' }
  const server = serverOf(({ method }) => {
    if (method === 'POST') return { ...SESSION, headers: { ...SESSION.headers, ...headers } }
    return method === 'PUT' ? { status: 201, headers } : undefined
  })
  await expect(repositoryOf(server).push(layer)).resolves.toMatchObject({ how: 'uploaded' })
})

describe('GHSA-f36w-mj3v-6jqv: what somebody else says of a size makes nobody take so much memory', () => {
  test('a manifest without end is given up at 4 MiB, with the reason', async () => {
    const endless = { status: 200, headers: { 'content-type': OCI_MANIFEST }, body: new Uint8Array(5 << 20) }
    const server: Server = ({ method }) => (method === 'HEAD' ? { status: 405 } : endless)
    await expect(repositoryOf(server, { side: 'source' }).resolve('v1')).rejects.toThrow(/4194304|4 MiB|too large/i)
  })

  test('a blob that is said to be huge is read in the pieces in which it comes', async () => {
    const size = Number.MAX_SAFE_INTEGER
    const server: Server = () => ({ status: 200, headers: { 'content-length': `${size}` }, body: 'few bytes' })
    const chunks = repositoryOf(server, { side: 'source' }).open({ ...layer.descriptor, size })
    const first = await chunks[Symbol.asyncIterator]()
      .next()
      .catch((error: unknown) => error)
    expect(first).not.toBeInstanceOf(RangeError)
  })
})

describe('Harbor', () => {
  /** With a token, what it says to everything but a HEAD, which it gives the status only. */
  const harbor = (refuse: (request: Seen) => Said | undefined): Server =>
    serverOf(request => {
      if (request.url.startsWith('https://auth.example.com/')) return { status: 200, body: '{"token":"t"}' }
      if (request.headers['authorization'] === undefined) {
        return { status: 401, headers: { 'www-authenticate': CHALLENGE } }
      }
      const said = refuse(request)
      return said && request.method === 'HEAD' ? { ...said, body: '' } : said
    })
  const missing: Said = {
    status: 401,
    headers: { 'www-authenticate': '' },
    body: json('UNAUTHORIZED', 'project team not found'),
  }

  test.each<[string, (target: Target) => Promise<unknown>]>([
    ['a blob', target => target.push(layer)],
    ['a manifest', target => target.push(manifest)],
    ['a tag', target => target.resolve('v1')],
  ])('a project that is missing is told as that when %s is asked for, not as a wrong password', async (_what, ask) => {
    const error = await thrown(ask(repositoryOf(harbor(() => missing))))
    expect(error).toMatchObject({
      name: 'RegistryError',
      message: expect.stringContaining('401 UNAUTHORIZED project team not found') as string,
      hint: 'create the project "team" in the registry first',
    })
    expect(String(error)).not.toMatch(/password|credentials/)
  })

  test('read-only mode is told as that, not as a missing right', async () => {
    const detail = 'The system is in read only mode. Any modification is prohibited.'
    const error = await thrown(
      repositoryOf(harbor(when('POST', { status: 403, body: json('DENIED', detail) }))).push(layer),
    )
    expect(error).toMatchObject({
      message: expect.stringContaining(detail) as string,
      hint: expect.stringMatching(/^reg\.example\.com is in read-only mode, for everybody: /) as string,
    })
    expect(String(error)).not.toContain('credentials')
  })

  test('who may not push is told so, although the answer is that to a wrong password', async () => {
    const refused: Said = {
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="harbor"' },
      body: json('UNAUTHORIZED', 'unauthorized to access repository: team/app, action: push'),
    }
    const error = await thrown(repositoryOf(harbor(when('POST', refused))).push(layer))
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /^the credentials of inputs may not push to reg\.example\.com\/team\/app: /,
      ) as string,
    })
  })
})
