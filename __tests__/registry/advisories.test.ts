import { bytesBlob, type Blob } from '../../src/content/blob.ts'
import type { Source, Target } from '../../src/content/ports.ts'
import { readAll } from '../../src/content/verify.ts'
import { createTransport, type TransportOptions } from '../../src/http/client.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { parseRepository } from '../../src/oci/repository.ts'
import { Access } from '../../src/registry/access.ts'
import { givenCredentials } from '../../src/registry/credentials/inputs.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository } from '../../src/registry/registry.ts'
import { uploadBlob } from '../../src/registry/upload/upload.ts'
import { startFaultServer, type Step } from '../support/fault-server.ts'
import { TLS_IDENTITY } from '../support/tls-identity.ts'
import { scripted, type ScriptedTransport, type Server } from './scripted.ts'

// What other clients were caught at: each of these holds for a whole push or pull, whichever part of ours sees to it.

const given = givenCredentials([{ registry: 'reg.example.com', username: 'u', password: 'secret', from: 'inputs' }])

function blobOf(size: number): Blob {
  const bytes = new Uint8Array(size)
  return bytesBlob({ bytes, descriptor: { mediaType: 'application/x', digest: digestOf(bytes), size } })
}

const layer = blobOf(5)
const SIX_MIB = blobOf(6 << 20)

function hostsOver(server: Server): { transport: ScriptedTransport; hosts: RegistryHosts; target: Target } {
  const transport = scripted(server)
  const hosts = new RegistryHosts({ transport, credentials: given })
  const deps = { hosts, side: 'target', sleep: () => Promise.resolve(), random: () => 0 } as const
  return { transport, hosts, target: openRepository({ host: 'reg.example.com', repository: 'team/app' }, deps) }
}

/** A repository of a server that is really there, for which there is a password. */
function repositoryAt(
  host: string,
  options: Partial<TransportOptions> = {},
): AsyncDisposable & { readonly source: Source; readonly target: Target } {
  const transport = createTransport({ version: '0', ...options })
  const credentials = givenCredentials([{ registry: host, username: 'u', password: 'secret', from: 'inputs' }])
  const hosts = new RegistryHosts({ transport, credentials })
  return {
    source: openRepository({ host, repository: 'team/app' }, { hosts, side: 'source' }),
    target: openRepository({ host, repository: 'team/app' }, { hosts, side: 'target' }),
    [Symbol.asyncDispose]: () => transport.close(),
  }
}

/** Asks for a password, and sends the bytes to `location`. */
const sendingTo =
  (location: string): Server =>
  ({ method, url, headers }) => {
    if (!url.startsWith('https://reg.example.com/')) return { status: method === 'PATCH' ? 202 : 201 }
    if (headers['authorization'] === undefined) return { status: 401, headers: { 'www-authenticate': 'Basic' } }
    return method === 'POST' ? { status: 202, headers: { location } } : { status: 404 }
  }

const elsewhere = ({ seen }: ScriptedTransport): readonly (string | undefined)[] =>
  seen.filter(({ url }) => !url.startsWith('https://reg.example.com/')).map(({ headers }) => headers['authorization'])

describe('GHSA-jxpm-75mh-9fp7: an upload that is sent elsewhere', () => {
  test('takes no password along, whole', async () => {
    const { transport, target } = hostsOver(sendingTo('https://storage.example.com/up?sig=1'))
    await target.push(layer)
    expect(elsewhere(transport)).toEqual([undefined])
  })

  test('takes no password along, in pieces', async () => {
    const { transport, hosts } = hostsOver(sendingTo('https://storage.example.com/up?sig=1'))
    const access = new Access(hosts.get('reg.example.com'), parseRepository('team/app'), 'target')
    const deps = {
      sleep: () => Promise.resolve(),
      random: () => 0,
      onEvent: () => undefined,
      upload: 'chunked',
    } as const
    await uploadBlob(access, SIX_MIB, {}, deps)
    expect(transport.lines().slice(-3)).toEqual(['PATCH /up', 'PATCH /up', 'PUT /up'])
    expect(elsewhere(transport)).toEqual([undefined, undefined, undefined])
  })

  test('is not sent on into the network of the runner by a later Location', async () => {
    const { transport, hosts } = hostsOver(({ method }) => {
      if (method === 'HEAD') return { status: 404 }
      return { status: 202, headers: { location: method === 'PATCH' ? 'https://169.254.169.254/up' : '/up' } }
    })
    const access = new Access(hosts.get('reg.example.com'), parseRepository('team/app'), 'target')
    const deps = {
      sleep: () => Promise.resolve(),
      random: () => 0,
      onEvent: () => undefined,
      upload: 'chunked',
    } as const
    await expect(uploadBlob(access, SIX_MIB, {}, deps)).rejects.toThrow('169.254.169.254 is a link-local address')
    expect(elsewhere(transport)).toEqual([])
  })
})

describe('a registry that never gets on', () => {
  const deps = { sleep: () => Promise.resolve(), random: () => 0, onEvent: () => undefined, upload: 'chunked' } as const
  const patches = (range: (n: number) => string) => {
    let n = 0
    const { transport, hosts } = hostsOver(({ method }) => {
      if (method === 'HEAD') return { status: 404 }
      const location = `/v2/team/app/blobs/uploads/${++n}`
      return { status: 202, headers: { location, ...(method === 'PATCH' && { range: range(n) }) } }
    })
    const access = new Access(hosts.get('reg.example.com'), parseRepository('team/app'), 'target')
    return { transport, push: () => uploadBlob(access, SIX_MIB, {}, deps) }
  }

  test.each([
    ['keeps a byte of each piece', (n: number) => `0-${n}`],
    ['goes back and forth', (n: number) => `0-${n % 2 === 0 ? 1 : 2}`],
    ['keeps nothing', () => '0-0'],
  ])('and %s ends the upload, however often it gives a new Location', async (_name, range) => {
    const { transport, push } = patches(range)
    await expect(push()).rejects.toMatchObject({ name: 'RegistryError' })
    expect(transport.lines().filter(line => line.startsWith('PATCH')).length).toBeLessThan(12)
  })

  test('and wants a blob in the place of a manifest gets none', async () => {
    const { transport, target } = hostsOver(sendingTo('/v2/prod/app/manifests/latest'))
    await expect(target.push(layer)).rejects.toThrow('which is refused: it is the place of a manifest')
    expect(transport.lines().filter(line => line.startsWith('PUT'))).toEqual([])
  })
})

describe('GHSA-vh4v-2xq2-g5cg: the same host is not the same origin', () => {
  test.each([
    ['by another port', 'https://reg.example.com:8443/up'],
    ['as a neighbour', 'https://evil.reg.example.com/up'],
  ])('and gets no password %s', async (_name, location) => {
    const { transport, target } = hostsOver(sendingTo(location))
    await target.push(layer)
    expect(elsewhere(transport)).toEqual([undefined])
  })

  test('and gets it over TLS, should it name itself without', async () => {
    const sending = sendingTo('http://reg.example.com/up')
    const { transport, target } = hostsOver(request => (request.method === 'PUT' ? { status: 201 } : sending(request)))
    await target.push(layer)
    expect(elsewhere(transport)).toEqual([])
    expect(transport.lines().at(-1)).toBe('PUT /up')
  })

  test('and a download that is sent to another port of it takes no password along', async () => {
    await using storage = await startFaultServer([{ status: 200, body: new Uint8Array(5) }])
    const basic = { status: 401, headers: { 'www-authenticate': 'Basic' } }
    await using registry = await startFaultServer([basic, { status: 307, headers: { location: storage.url.href } }])
    await using repository = repositoryAt(registry.host)
    await readAll(repository.source.open(layer.descriptor), { maxBytes: 5, what: 'layer' })
    expect(registry.seen[1]?.headers['authorization']).toMatch(/^Basic /)
    expect(storage.seen.map(({ headers }) => headers['authorization'])).toEqual([undefined])
  })
})

describe('GHSA-28r5-37g7-p6mp, GHSA-xf85-363p-868w (CVE-2026-48978): a realm', () => {
  test.each([
    ['that ends TLS', 'http://auth.example.com/token', 'https to plain http'],
    ['at the metadata service of a cloud', 'https://169.254.169.254/latest', 'link-local'],
    ['at the same, by its name', 'https://metadata.google.internal/x', 'link-local'],
    ['in the network of the runner', 'https://192.168.1.1/token', 'private'],
    ['on the runner itself', 'https://localhost/token', 'loopback'],
  ])('%s is shown no password', async (_name, realm, because) => {
    const challenge = { 'www-authenticate': `Bearer realm="${realm}",service="reg"` }
    const { transport, target } = hostsOver(() => ({ status: 401, headers: challenge }))
    await expect(target.push(layer)).rejects.toThrow(because)
    expect(transport.seen.map(({ headers }) => headers['authorization'])).toEqual([undefined])
  })
})

/** Answers with a body that does not end; `sent` are the bytes of it that went out. */
function endless(
  status: number,
  headers: Readonly<Record<string, string>> = {},
): { readonly step: Step; sent: number } {
  const chunk = Buffer.alloc(64 << 10, ' ')
  const flood = {
    sent: 0,
    step: {
      handle: (request, response) => {
        request.resume()
        response.writeHead(status, headers)
        const more = (): void => {
          let isRoom = true
          while (isRoom && !response.destroyed) {
            isRoom = response.write(chunk)
            flood.sent += chunk.byteLength
          }
        }
        response.on('drain', more)
        more()
      },
    } satisfies Step,
  }
  return flood
}

/** Bytes outside the heap that are in use at most while `work` looks. */
async function mostBytesIn(work: (look: () => void) => Promise<void>): Promise<number> {
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  await work(() => {
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  })
  return most
}

// What was sent and not read is on its way through two sockets.
const ON_ITS_WAY = 32 << 20
const TIB = 2 ** 40
const ENOUGH = 256 << 20
const LOOK_EVERY = 1 << 20

describe('GHSA-f36w-mj3v-6jqv: a size that somebody else names', () => {
  test('of a manifest may be anything, 4 MiB of it are read', async () => {
    const flood = endless(200, { 'content-type': OCI_MANIFEST })
    await using registry = await startFaultServer([{ status: 405 }, flood.step])
    await using repository = repositoryAt(registry.host)
    await expect(repository.source.resolve('v1')).rejects.toThrow(/4 MiB|4194304/)
    expect(flood.sent).toBeLessThan(ON_ITS_WAY)
  })

  test('of a blob is no amount of memory when it is read', async () => {
    const flood = endless(200, { 'content-length': `${TIB}` })
    await using registry = await startFaultServer([flood.step])
    await using repository = repositoryAt(registry.host)
    const most = await mostBytesIn(async look => {
      let read = 0
      let looked = 0
      for await (const chunk of repository.source.open({ ...layer.descriptor, size: TIB })) {
        read += chunk.byteLength
        if (read - looked < LOOK_EVERY) continue
        looked = read
        look()
        if (read > ENOUGH) break
      }
      expect(read).toBeGreaterThan(ENOUGH)
    })
    expect(most).toBeLessThan(ENOUGH / 2)
  })

  test('of a blob is no amount of memory when it is sent', async () => {
    const session = { status: 202, headers: { location: '/up' } }
    await using registry = await startFaultServer([{ status: 404 }, session, { hang: true }])
    await using repository = repositoryAt(registry.host)
    const most = await mostBytesIn(async look => {
      const chunk = Buffer.alloc(LOOK_EVERY)
      const blob: Blob = {
        descriptor: { ...layer.descriptor, size: TIB },
        // eslint-disable-next-line @typescript-eslint/require-await -- the type asks for an async source
        async *open() {
          for (let sent = 0; sent < ENOUGH; sent += chunk.byteLength) {
            look()
            yield chunk
          }
          throw new Error('that is enough')
        },
      }
      await expect(repository.target.push(blob)).rejects.toThrow('that is enough')
    })
    expect(registry.seen[2]?.bytes).toBeGreaterThan(ENOUGH - ON_ITS_WAY)
    expect(most).toBeLessThan(ENOUGH / 2)
  })

  test('is not what a blob has: the answer is given up before it is read', async () => {
    const flood = endless(200, { 'content-length': `${TIB}` })
    await using registry = await startFaultServer([flood.step])
    await using repository = repositoryAt(registry.host)
    const reading = readAll(repository.source.open(layer.descriptor), { maxBytes: TIB, what: 'layer' })
    await expect(reading).rejects.toThrow(`${TIB}`)
    expect(flood.sent).toBeLessThan(ON_ITS_WAY)
  })
})

describe('go-containerregistry#2258: whoever answers without end', () => {
  test('in the place of a token ends the push', async () => {
    const flood = endless(200, { 'content-type': 'application/json' })
    await using registry = await startFaultServer()
    const challenge = { 'www-authenticate': `Bearer realm="${registry.url.href}token",service="s"` }
    registry.plan({ status: 401, headers: challenge }, flood.step)
    await using repository = repositoryAt(registry.host)
    await expect(repository.target.push(layer)).rejects.toThrow(/64 KiB|65536/)
    expect(flood.sent).toBeLessThan(ON_ITS_WAY)
  })

  test('with the reason of a refusal is quoted in a line', async () => {
    const flood = endless(400)
    await using registry = await startFaultServer([{ status: 404 }, flood.step])
    await using repository = repositoryAt(registry.host)
    const error = await repository.target.push(layer).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'RegistryError', status: 400 })
    expect(String(error).length).toBeLessThan(1_000)
    expect(flood.sent).toBeLessThan(ON_ITS_WAY)
  })

  test('is not asked at all where only a descriptor names it', async () => {
    const { transport, hosts } = hostsOver(() => ({ status: 404 }))
    const source = openRepository({ host: 'reg.example.com', repository: 'team/app' }, { hosts, side: 'source' })
    const elsewhere = { ...layer.descriptor, urls: ['http://169.254.169.254/layer'] }
    await expect(readAll(source.open(elsewhere), { maxBytes: 5, what: 'layer' })).rejects.toThrow('404')
    expect(transport.seen.map(({ url }) => new URL(url).host)).toEqual(['reg.example.com'])
  })
})

test('a download that is sent from TLS to plain http ends there', async () => {
  await using storage = await startFaultServer()
  const sent = { status: 307, headers: { location: `${storage.url.href}blob?X-Amz-Signature=abc` } }
  await using registry = await startFaultServer([{ status: 200 }, sent], { tls: TLS_IDENTITY })
  await using repository = repositoryAt(registry.host, { tls: { ca: TLS_IDENTITY.cert } })
  const reading = readAll(repository.source.open(layer.descriptor), { maxBytes: 5, what: 'layer' })
  await expect(reading).rejects.toThrow('it leads from https to plain http')
  expect(storage.seen).toEqual([])
})

test('a challenge of storage, to which a registry redirected, is not answered with the credentials of the registry', async () => {
  await using evil = await startFaultServer([{ status: 200, body: '{"token":"t"}' }])
  const challenge = { 'www-authenticate': `Bearer realm="${evil.url.href}token",service="s"` }
  await using storage = await startFaultServer([{ status: 401, headers: challenge }])
  await using registry = await startFaultServer([{ status: 307, headers: { location: storage.url.href } }])
  await using repository = repositoryAt(registry.host)
  const reading = readAll(repository.source.open(layer.descriptor), { maxBytes: 5, what: 'layer' })
  await expect(reading).rejects.toThrow('401')
  expect(evil.seen).toEqual([])
})

test('an error shows no signature of a Location, and no password', async () => {
  const { target } = hostsOver(request => {
    const said = sendingTo('/v2/team/app/blobs/uploads/1?_state=secret-state&X-Amz-Signature=abc')(request)
    return request.method === 'PUT' ? { status: 400, body: 'no' } : said
  })
  const error = await target.push(layer).catch((thrown: unknown) => thrown)
  const text = JSON.stringify([String(error), error])
  expect(text).toContain('_state=…&X-Amz-Signature=…&digest=sha256')
  expect(text).not.toMatch(/secret|abc"/)
})

test('an error of storage shows nothing of what a registry signed for it', async () => {
  await using storage = await startFaultServer([{ status: 403 }])
  const location = `${storage.url.href}blob?X-Amz-Signature=abc&X-Amz-Credential=who`
  await using registry = await startFaultServer([{ status: 307, headers: { location } }])
  await using repository = repositoryAt(registry.host)
  const error = await readAll(repository.source.open(layer.descriptor), { maxBytes: 5, what: 'layer' }).catch(
    (thrown: unknown) => thrown,
  )
  const text = JSON.stringify([String(error), error])
  expect(text).toContain('403')
  expect(text).not.toMatch(/abc|who/)
})

test('whoever masks logs knows every secret before it is sent, and no error shows one', async () => {
  const told: string[] = []
  const shown: (string | undefined)[] = []
  const transport = scripted(({ url, headers }) => {
    const { authorization } = headers
    if (authorization !== undefined) shown.push(told.find(secret => authorization.endsWith(` ${secret}`)))
    if (url.includes('/token')) return { status: 200, body: '{"token":"token-secret"}' }
    const challenge = { 'www-authenticate': 'Bearer realm="https://auth.example.com/token",service="reg"' }
    return authorization === undefined ? { status: 401, headers: challenge } : { status: 400, body: 'no' }
  })
  const onSecret = (secret: string): void => void told.push(secret)
  const hosts = new RegistryHosts({ transport, credentials: given, onSecret })
  const target = openRepository({ host: 'reg.example.com', repository: 'team/app' }, { hosts, side: 'target' })
  const error = await target.push(layer).catch((thrown: unknown) => thrown)
  const encoded = Buffer.from('u:secret').toString('base64')
  expect(told).toEqual(['secret', encoded, 'token-secret'])
  expect(new Set(shown)).toEqual(new Set([encoded, 'token-secret']))
  expect(JSON.stringify([String(error), error])).not.toMatch(new RegExp(`secret|${encoded}`))
})
