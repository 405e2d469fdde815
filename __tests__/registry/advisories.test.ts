import { bytesBlob, type Blob } from '../../src/content/blob.ts'
import type { Target } from '../../src/content/ports.ts'
import { readAll } from '../../src/content/verify.ts'
import { createTransport } from '../../src/http/client.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { Access } from '../../src/registry/access.ts'
import { givenCredentials } from '../../src/registry/credentials/inputs.ts'
import { RegistryHosts } from '../../src/registry/host.ts'
import { openRepository } from '../../src/registry/registry.ts'
import { uploadBlob } from '../../src/registry/upload/upload.ts'
import { startFaultServer } from '../support/fault-server.ts'
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
    const access = new Access(hosts.get('reg.example.com'), 'team/app', 'target')
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
    const access = new Access(hosts.get('reg.example.com'), 'team/app', 'target')
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

describe('GHSA-vh4v-2xq2-g5cg: the same host is not the same origin', () => {
  test.each([
    ['by another port', 'https://reg.example.com:8443/up'],
    ['as a neighbour', 'https://evil.reg.example.com/up'],
  ])('and gets no password %s', async (_name, location) => {
    const { transport, target } = hostsOver(sendingTo(location))
    await target.push(layer)
    expect(elsewhere(transport)).toEqual([undefined])
  })

  test('and a download that is sent to another port of it takes no password along', async () => {
    await using storage = await startFaultServer([{ status: 200, body: new Uint8Array(5) }])
    const basic = { status: 401, headers: { 'www-authenticate': 'Basic' } }
    await using registry = await startFaultServer([basic, { status: 307, headers: { location: storage.url.href } }])
    const { host } = registry
    const transport = createTransport({ version: '0' })
    const credentials = givenCredentials([{ registry: host, username: 'u', password: 'secret', from: 'inputs' }])
    const hosts = new RegistryHosts({ transport, credentials })
    const source = openRepository({ host, repository: 'team/app' }, { hosts, side: 'source' })
    await readAll(source.open(layer.descriptor), { maxBytes: 5, what: 'layer' })
    await transport.close()
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

test('a challenge of storage, to which a registry redirected, is not answered with the credentials of the registry', async () => {
  await using evil = await startFaultServer([{ status: 200, body: '{"token":"t"}' }])
  const challenge = { 'www-authenticate': `Bearer realm="${evil.url.href}token",service="s"` }
  await using storage = await startFaultServer([{ status: 401, headers: challenge }])
  await using registry = await startFaultServer([{ status: 307, headers: { location: storage.url.href } }])
  const { host } = registry
  const transport = createTransport({ version: '0' })
  const credentials = givenCredentials([{ registry: host, username: 'u', password: 'secret', from: 'inputs' }])
  const hosts = new RegistryHosts({ transport, credentials })
  const source = openRepository({ host, repository: 'team/app' }, { hosts, side: 'source' })
  const reading = readAll(source.open(layer.descriptor), { maxBytes: 5, what: 'layer' })
  await expect(reading).rejects.toThrow('401')
  await transport.close()
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
