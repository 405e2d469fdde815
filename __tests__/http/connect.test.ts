import { createTransport } from '../../src/http/client.ts'
import { startFaultServer } from '../support/fault-server.ts'
import { startProxyServer } from '../support/proxy-server.ts'
import { TLS_IDENTITY } from '../support/tls-identity.ts'
import type { TransportOptions } from '../../src/http/client.ts'
import type { HttpResponse, RequestBody } from '../../src/http/transport.ts'
import { bytesBody } from '../../src/http/body.ts'

async function request(
  url: URL | string,
  options: Partial<TransportOptions> = {},
  body?: RequestBody,
): Promise<HttpResponse> {
  const client = createTransport({
    version: '1',
    clock: { now: () => 0, sleep: async () => Promise.resolve() },
    ...options,
  })
  try {
    return await client.request({ method: body ? 'PUT' : 'GET', url: new URL(url), body, wholeBodyBytes: 1_000 })
  } finally {
    await client.close()
  }
}

const tls = TLS_IDENTITY

describe('TLS', () => {
  test('a registry with a CA of its own is trusted when the CA is given', async () => {
    await using server = await startFaultServer([{ status: 200, body: 'ok' }], { tls })
    const response = await request(server.url, { tls: { ca: tls.cert } })
    expect(await response.text(10)).toBe('ok')
  })

  test('a certificate that nobody vouches for is final, and the message says what to do', async () => {
    await using server = await startFaultServer([], { tls })
    await expect(request(server.url)).rejects.toMatchObject({
      message: `${server.host}: no answer: its TLS certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT) (GET ${server.url.href})`,
      hint: 'if the host has a CA of its own, name its PEM file in NODE_EXTRA_CA_CERTS, or put it into /etc/docker/certs.d/HOST/ca.crt',
      retriable: false,
      attempts: 1,
    })
    expect(server.seen).toEqual([])
  })

  test('https to a plain http registry is explained', async () => {
    await using server = await startFaultServer()
    await expect(request(`https://${server.host}/`)).rejects.toMatchObject({
      reason: expect.stringMatching(/^it does not speak TLS there/) as string,
      hint: 'if the registry is meant to be plain http, say so for this host',
    })
  })

  test('a client certificate is shown to its host, and to no other', async () => {
    const shown: string[] = []
    const step = {
      handle: ({ socket }: { socket: unknown }, response: { end: () => void }) => {
        const { subject } = (socket as { getPeerCertificate: () => { subject?: { CN: string } } }).getPeerCertificate()
        shown.push(subject?.CN ?? 'nobody')
        response.end()
      },
    }
    const mutual = { tls: { ...tls, ca: tls.cert, requestCert: true, rejectUnauthorized: false } }
    await using known = await startFaultServer([step], mutual)
    await using stranger = await startFaultServer([step], mutual)
    const options = { tls: { ca: tls.cert, clientCertificates: { [known.host]: tls } } }
    await request(known.url, options)
    await request(stranger.url, options)
    expect(shown).toEqual(['test only', 'nobody'])
  })
})

describe('a proxy', () => {
  const name = 'registry.test'

  test('plain http goes through it with the whole URL, and with its credentials', async () => {
    await using server = await startFaultServer([{ status: 201 }])
    await using proxy = await startProxyServer(Number(server.url.port))
    const env = { http_proxy: `http://user:p%40ss@${proxy.url.host}` }

    const response = await request(`http://${name}:5000/v2/?n=1`, { env }, bytesBody(Buffer.from('body')))

    expect(response.status).toBe(201)
    expect(proxy.seen).toEqual([
      {
        line: `PUT http://${name}:5000/v2/?n=1`,
        authorization: `Basic ${Buffer.from('user:p@ss').toString('base64')}`,
      },
    ])
    expect(server.seen).toMatchObject([{ url: '/v2/?n=1', body: 'body', headers: { host: `${name}:5000` } }])
  })

  test('https is tunnelled: the proxy sees a name and nothing else', async () => {
    await using server = await startFaultServer([{ status: 200, body: 'ok' }], { tls })
    await using proxy = await startProxyServer(Number(server.url.port))

    const response = await request(`https://${name}/v2/`, {
      env: { HTTPS_PROXY: `http://user:pass@${proxy.url.host}` },
      tls: { ca: tls.cert },
    })

    expect(await response.text(10)).toBe('ok')
    expect(proxy.seen).toEqual([
      { line: `CONNECT ${name}:443`, authorization: `Basic ${Buffer.from('user:pass').toString('base64')}` },
    ])
    expect(server.seen[0]?.headers).not.toHaveProperty('proxy-authorization')
  })

  test('a proxy that speaks TLS itself is spoken to in TLS, for http and for https', async () => {
    await using secure = await startFaultServer([{ status: 200, body: 'secure' }], { tls })
    await using plain = await startFaultServer([{ status: 200, body: 'plain' }])
    await using first = await startProxyServer(Number(secure.url.port), { tls })
    await using second = await startProxyServer(Number(plain.url.port), { tls })
    const options = { env: { HTTPS_PROXY: first.url.href, HTTP_PROXY: second.url.href }, tls: { ca: tls.cert } }
    expect(await (await request(`https://${name}/`, options)).text(10)).toBe('secure')
    expect(await (await request(`http://${name}/`, options)).text(10)).toBe('plain')
  })

  test('the time for connecting does not end a tunnel that is at work', async () => {
    const late = {
      handle: (_: unknown, response: { end: (text: string) => void }) =>
        setTimeout(() => {
          response.end('late')
        }, 700),
    }
    await using server = await startFaultServer([late], { tls })
    await using proxy = await startProxyServer(Number(server.url.port))
    const options = { env: { HTTPS_PROXY: proxy.url.href }, tls: { ca: tls.cert }, timeouts: { connectMs: 500 } }
    expect(await (await request(`https://${name}/`, options)).text(10)).toBe('late')
    expect(server.seen).toHaveLength(1)
  })

  test('the certificate is checked for the registry, not for the proxy', async () => {
    await using server = await startFaultServer([], { tls })
    await using proxy = await startProxyServer(Number(server.url.port))
    const options = { env: { HTTPS_PROXY: proxy.url.href }, tls: { ca: tls.cert } }
    await expect(request('https://other.test/', options)).rejects.toThrow('its TLS certificate is for another name')
  })

  test.each([
    [407, 'the proxy PROXY answered 407, it wants other credentials', 1],
    [403, 'the proxy PROXY answered 403', 1],
    [503, 'the proxy PROXY answered 503', 6],
  ])('%d from it is told as its own answer', async (refuse, reason, attempts) => {
    await using proxy = await startProxyServer(1, { refuse })
    await expect(request(`https://${name}/`, { env: { HTTPS_PROXY: proxy.url.href } })).rejects.toMatchObject({
      reason: reason.replace('PROXY', proxy.url.host),
      attempts,
    })
  })

  test('that is down is named, not the registry', async () => {
    const server = await startFaultServer()
    await server.stop()
    await expect(request(`https://${name}/`, { env: { HTTPS_PROXY: server.url.href } })).rejects.toThrow(
      `the proxy ${server.host} cannot be reached`,
    )
  })

  test('is not used for a host that NO_PROXY names', async () => {
    await using proxy = await startProxyServer(1)
    const env = { HTTP_PROXY: proxy.url.href, NO_PROXY: '.invalid' }
    await expect(request('http://registry.invalid/', { env })).rejects.toMatchObject({
      reason: 'no such host in DNS (ENOTFOUND)',
      attempts: 2,
    })
    expect(proxy.seen).toEqual([])
  })
})
