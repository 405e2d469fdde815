import { createTransport } from '../../src/http/client.ts'
import { Endpoint } from '../../src/registry/endpoint.ts'
import { startSpecRegistry } from '../../conformance/server/registry.ts'
import { scripted, type ScriptedTransport, type Server } from './scripted.ts'

const ask = (endpoint: Endpoint): Promise<number> =>
  endpoint.send({ method: 'HEAD', to: '/v2/app/blobs/x' }).then(({ status }) => status)

const endpointOf = (host: string, transport: ScriptedTransport, plainHttp: readonly string[] = []): Endpoint =>
  new Endpoint(host, { transport, plainHttp: new Set(plainHttp) })

const urls = ({ seen }: ScriptedTransport): readonly string[] => seen.map(({ method, url }) => `${method} ${url}`)

test.each([
  ['a registry is reached by https', 'reg.example.com', 'https://reg.example.com/v2/app/blobs/x'],
  ['Docker Hub is reached where it really is', 'docker.io', 'https://registry-1.docker.io/v2/app/blobs/x'],
  [
    'a registry that the user named is reached by plain http',
    'plain.example.com:5000',
    'http://plain.example.com:5000/v2/app/blobs/x',
  ],
  [
    'a local registry is reached by plain http, and asked nothing extra',
    '127.0.0.1:5000',
    'http://127.0.0.1:5000/v2/app/blobs/x',
  ],
  ['so is localhost', 'localhost:5000', 'http://localhost:5000/v2/app/blobs/x'],
  ['so is the loopback of IPv6', '[::1]:5000', 'http://[::1]:5000/v2/app/blobs/x'],
])('%s', async (_name, host, url) => {
  const transport = scripted(() => ({ status: 404 }))
  expect(await ask(endpointOf(host, transport, ['plain.example.com:5000']))).toBe(404)
  expect(urls(transport)).toEqual([`HEAD ${url}`])
})

test.each<[string, ReturnType<Server>]>([
  ['says that it wants TLS', { status: 400 }],
  ['cuts the connection', { code: 'ECONNRESET' }],
])('a local registry with TLS is found when it %s', async (_name, plain) => {
  const transport = scripted(({ url }) => (url.startsWith('https:') ? { status: 200 } : plain))
  const endpoint = endpointOf('127.0.0.1:5000', transport)
  expect(await Promise.all([ask(endpoint), ask(endpoint)])).toEqual([200, 200])
  expect(urls(transport)).toEqual([
    'HEAD http://127.0.0.1:5000/v2/app/blobs/x',
    'GET https://127.0.0.1:5000/v2/',
    'HEAD https://127.0.0.1:5000/v2/app/blobs/x',
    'HEAD https://127.0.0.1:5000/v2/app/blobs/x',
  ])
})

test('a local registry whose certificate nobody trusts is not asked by plain http instead', async () => {
  const transport = scripted(({ url }) =>
    url.startsWith('https:') ? { code: 'DEPTH_ZERO_SELF_SIGNED_CERT', retriable: false } : { code: 'ECONNRESET' },
  )
  await expect(ask(endpointOf('127.0.0.1:5000', transport))).rejects.toThrow('DEPTH_ZERO_SELF_SIGNED_CERT')
})

test('a local registry that answers 400 by itself stays plain http', async () => {
  const transport = scripted(({ url }) =>
    url.startsWith('https:') ? { code: 'EPROTO', retriable: false } : { status: 400 },
  )
  expect(await ask(endpointOf('127.0.0.1:5000', transport))).toBe(400)
})

test('a registry elsewhere is never asked by plain http because https failed', async () => {
  const transport = scripted(() => ({ code: 'ECONNRESET' }))
  await expect(ask(endpointOf('10.0.0.1:5000', transport))).rejects.toThrow('ECONNRESET')
  expect(urls(transport)).toEqual(['HEAD https://10.0.0.1:5000/v2/app/blobs/x'])
})

test('a local registry that is only just starting may be asked again', async () => {
  let up = false
  const transport = scripted(() => (up ? { status: 200 } : { code: 'ECONNREFUSED' }))
  const endpoint = endpointOf('127.0.0.1:5000', transport)
  await expect(ask(endpoint)).rejects.toThrow('ECONNREFUSED')
  up = true
  expect(await ask(endpoint)).toBe(200)
  expect(urls(transport).every(line => line.includes('http://'))).toBe(true)
})

describe('a local registry that is busy when it is asked for the first time', () => {
  test.each<[status: number, after: string | undefined, waitMs: number]>([
    [503, '2', 2_200],
    [429, '2', 2_200],
    [502, '2', 2_200],
    [500, undefined, 1_000],
    [503, undefined, 1_000],
  ])('with %i and Retry-After %p is asked again after %i ms', async (status, after, waitMs) => {
    let nowMs = 0
    const sleep = (waitMs: number): Promise<void> => {
      nowMs += waitMs
      return Promise.resolve()
    }
    await using registry = await startSpecRegistry()
    registry.fail({}, { status, headers: after === undefined ? {} : { 'retry-after': after } })
    const random = (): number => 1
    const transport = createTransport({ version: '0', random, clock: { now: () => nowMs, sleep } })
    const endpoint = new Endpoint(registry.host, { transport, plainHttp: new Set(), sleep, random })
    const response = await endpoint.send({ method: 'GET', to: '/v2/' })
    await response.discard()
    await transport.close()
    expect([response.status, nowMs, registry.requests.length]).toEqual([200, waitMs, 2])
  })

  test('is not asked again when it says to come back in an hour', async () => {
    const transport = scripted(() => ({ status: 502, gaveUp: 'it asks to wait 3600 s' }))
    expect(await ask(endpointOf('127.0.0.1:5000', transport))).toBe(502)
    expect(transport.seen).toHaveLength(1)
  })

  test('is not waited for after an abort', async () => {
    const controller = new AbortController()
    const reason = new Error('stop')
    const transport = scripted(() => {
      controller.abort(reason)
      return { status: 502 }
    })
    const request = { method: 'HEAD', to: '/v2/app/blobs/x', signal: controller.signal } as const
    await expect(endpointOf('127.0.0.1:5000', transport).send(request)).rejects.toBe(reason)
  })
})
