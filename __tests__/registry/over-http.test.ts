import type { Blob } from '../../src/content/blob.ts'
import { bytesBlob } from '../../src/content/blob.ts'
import type { Target } from '../../src/content/ports.ts'
import { readAll } from '../../src/content/verify.ts'
import { createTransport } from '../../src/http/client.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { OCI_MANIFEST } from '../../src/oci/media-type.ts'
import { givenCredentials } from '../../src/registry/credentials/inputs.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository } from '../../src/registry/registry.ts'
import { startFaultServer, type FaultServer } from '../support/fault-server.ts'
import { TLS_IDENTITY } from '../support/tls-identity.ts'

const bytes = new Uint8Array(3 << 20).map((_, i) => i % 251)
const layer: Blob = {
  descriptor: { mediaType: 'application/x', digest: digestOf(bytes), size: bytes.byteLength },
  // eslint-disable-next-line @typescript-eslint/require-await -- the type asks for an async source
  async *open({ offset = 0 } = {}) {
    for (let at = offset; at < bytes.byteLength; at += 1 << 18) yield bytes.subarray(at, at + (1 << 18))
  },
}

const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** The product's own transport, which here neither waits nor is lucky. */
function repositoryAt({ host }: FaultServer, side: 'source' | 'target' = 'target'): Target {
  const sleep = (_waitMs: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted()
    return Promise.resolve()
  }
  const transport = createTransport({ version: '0', random: () => 0, clock: { now: () => 0, sleep } })
  closing.push(() => transport.close())
  const credentials = givenCredentials([{ registry: host, username: 'u', password: 'p', from: 'inputs' }])
  const hosts = new RegistryHosts({ transport, credentials })
  return openRepository({ host, repository: 'team/app' }, { hosts, side, sleep, random: () => 0 })
}

const session = { status: 202, headers: { location: '/v2/team/app/blobs/uploads/1?_state=x' } }
const lines = ({ seen }: FaultServer): readonly string[] =>
  seen.map(({ method, url }) => `${method} ${url.replace(/[?].*/, '').replace('/v2/team/app/', '')}`)

test('a layer arrives through 503, a reset in the middle of it, and a lost answer', async () => {
  await using server = await startFaultServer([
    { status: 503 }, // HEAD
    { status: 404 },
    { resetAfter: 0 }, // POST
    session,
    { resetAfter: 1 << 20 }, // PUT
    { status: 404 }, // GET of the session
    { status: 204 }, // DELETE
    { status: 404 },
    session,
    { drop: true }, // PUT, whose answer is lost
    { status: 404 },
    { status: 204 },
    { status: 200 }, // HEAD knows
  ])
  const pushed = await repositoryAt(server).push(layer)
  const head = `HEAD blobs/${layer.descriptor.digest}`
  const [post, put] = ['POST blobs/uploads/', 'PUT blobs/uploads/1']
  const ended = ['GET blobs/uploads/1', 'DELETE blobs/uploads/1']
  expect(lines(server)).toEqual([head, head, post, post, put, ...ended, head, post, put, ...ended, head])
  expect(pushed.how).toBe('uploaded')
  expect(pushed.bytes).toBeGreaterThan(bytes.byteLength)
  expect(server.seen[9]?.headers['content-length']).toBe(String(bytes.byteLength))
})

test('a token that ends before the body is sent is renewed, and the body is sent again', async () => {
  await using server = await startFaultServer()
  const unauthorized = (early = false): void => {
    const headers = { 'www-authenticate': `Bearer realm="${server.url.href}token",service="s"` }
    server.plan(early ? { early: 401, headers } : { status: 401, headers })
  }
  const token = (value: string): void => {
    server.plan({ status: 200, body: JSON.stringify({ token: value, expires_in: 300 }) })
  }
  unauthorized()
  token('one')
  server.plan({ status: 404 }, session)
  unauthorized(true)
  token('two')
  server.plan({ status: 201 })
  expect(await repositoryAt(server).push(layer)).toMatchObject({ how: 'uploaded' })
  const shown = server.seen.map(({ method, headers }) => `${method} ${headers['authorization'] ?? '-'}`)
  const basic = `GET Basic ${Buffer.from('u:p').toString('base64')}`
  expect(shown).toEqual([
    'HEAD -',
    basic,
    'HEAD Bearer one',
    'POST Bearer one',
    'PUT Bearer one',
    basic,
    'PUT Bearer two',
  ])
  expect(server.seen.at(-1)?.bytes).toBe(bytes.byteLength)
})

test('a download that storage elsewhere cuts goes on from the registry, and storage sees no password', async () => {
  await using storage = await startFaultServer([{ status: 200, body: bytes, cutAfter: 2 << 20 }])
  await using server = await startFaultServer([
    { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } },
    { status: 307, headers: { location: `${storage.url.href}blob?sig=1` } },
  ])
  const first = 2 << 20
  const last = bytes.byteLength - 1
  server.plan({
    handle: (request, response) => {
      // Less than was announced may have arrived: what is asked for is what counts.
      const [, from = '0'] = /^bytes=(\d+)-/.exec(request.headers.range ?? '') ?? []
      response.writeHead(206, { 'content-range': `bytes ${from}-${last}/${bytes.byteLength}` })
      response.end(bytes.subarray(Number(from)))
    },
  })
  const source = repositoryAt(server, 'source')
  const read = await readAll(source.open(layer.descriptor), { maxBytes: bytes.byteLength, what: 'layer' })
  expect(digestOf(read)).toBe(layer.descriptor.digest)
  expect(storage.seen.map(({ headers }) => headers['authorization'])).toEqual([undefined])
  expect(server.seen.at(-1)?.headers['range']).toMatch(new RegExp(`^bytes=\\d+-${last}$`))
  expect(Number(/\d+/.exec(server.seen.at(-1)?.headers['range'] ?? '')?.[0])).toBeLessThanOrEqual(first)
})

test('a local registry with TLS that nobody trusts is found without being named, and the user is told what to trust', async () => {
  await using server = await startFaultServer([], { tls: TLS_IDENTITY })
  const hint = expect.stringContaining('NODE_EXTRA_CA_CERTS') as string
  await expect(repositoryAt(server, 'source').resolve('v1')).rejects.toMatchObject({ status: 0, hint })
})

test('a push that is stopped stops, and its session is cancelled', async () => {
  await using server = await startFaultServer([{ status: 404 }, session, { hang: true }, { status: 204 }])
  const controller = new AbortController()
  const reason = new Error('stop')
  const pushing = repositoryAt(server).push(layer, { signal: controller.signal })
  void server.arrived(3).then(() => {
    controller.abort(reason)
  })
  await expect(pushing).rejects.toBe(reason)
  expect(lines(server).at(-1)).toBe('DELETE blobs/uploads/1')
})

test('a small manifest is pushed with its type and its length', async () => {
  const manifest = new TextEncoder().encode('{"schemaVersion":2}')
  const digest = digestOf(manifest)
  await using server = await startFaultServer([
    { status: 404 },
    { status: 201, headers: { 'docker-content-digest': digest } },
  ])
  const descriptor = { mediaType: OCI_MANIFEST, digest, size: manifest.byteLength }
  expect(await repositoryAt(server).push(bytesBlob({ descriptor, bytes: manifest }))).toEqual({
    how: 'uploaded',
    bytes: 19,
  })
  expect(server.seen[1]).toMatchObject({ body: '{"schemaVersion":2}', headers: { 'content-type': OCI_MANIFEST } })
})
