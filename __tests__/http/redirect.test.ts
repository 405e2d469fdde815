import type { Hop } from '../../src/http/redirect.ts'
import { judgeRealm, mayFollow, redirect, sameOrigin } from '../../src/http/redirect.ts'

const url = (text: string): URL => new URL(text)

describe('sameOrigin()', () => {
  test.each([
    ['https://r.example/a', 'https://r.example:443/b?x', true],
    ['https://r.example/', 'http://r.example/', false],
    ['https://r.example/', 'https://r.example:8443/', false],
    ['https://r.example/', 'https://cdn.r.example/', false],
    ['https://R.example/', 'https://r.EXAMPLE/', true],
  ])('%s and %s: %s', (a, b, same) => {
    expect(sameOrigin(url(a), url(b))).toBe(same)
  })
})

describe('mayFollow()', () => {
  test.each([
    ['a registry to its object storage', 'https://r.example/', 'https://bucket.s3.example/x'],
    ['plain http to https', 'http://r.example/', 'https://r.example/'],
    ['a private registry to its private storage', 'http://10.0.0.5:5000/', 'http://10.0.0.6:9000/'],
    ['a loopback registry to another port', 'http://127.0.0.1:5000/', 'http://127.0.0.1:9000/'],
    ['localhost to a container on a private network', 'http://localhost:5000/', 'http://172.17.0.3:9000/'],
    ['a private registry to a public one', 'https://10.0.0.5/', 'https://r.example/'],
    ['a host to itself, whatever it is', 'http://169.254.1.1/', 'http://169.254.1.1:81/'],
  ])('lets %s lead on', (_name, from, to) => {
    expect(mayFollow(url(from), url(to))).toBeUndefined()
  })

  test.each([
    ['https to plain http', 'https://r.example/', 'http://r.example/', 'it leads from https to plain http'],
    ['files', 'https://r.example/', 'file:///etc/passwd', 'file: is not http'],
    [
      'cloud credentials',
      'http://r.example/',
      'http://169.254.169.254/latest/meta-data/',
      '169.254.169.254 is a link-local address, r.example is not',
    ],
    ['cloud credentials in disguise', 'http://r.example/', 'http://0xa9fea9fe/', /link-local/],
    ['cloud credentials as IPv6', 'http://r.example/', 'http://[::ffff:169.254.169.254]/', /link-local/],
    ['cloud credentials by name', 'http://r.example/', 'http://metadata.google.internal/', /link-local/],
    ['cloud credentials from a private registry', 'http://10.0.0.5/', 'http://169.254.169.254/', /link-local/],
    ['cloud credentials from this machine', 'http://127.0.0.1:5000/', 'http://[fd00:ec2::254]/', /link-local/],
    ['services on this machine', 'https://r.example/', 'https://127.0.0.1/', /loopback/],
    ['services on this machine by name', 'https://r.example/', 'https://localhost:8443/', /loopback/],
    ['services on this machine from a private registry', 'http://10.0.0.5/', 'http://127.0.0.1/', /loopback/],
    ['the network behind a firewall', 'https://r.example/', 'https://192.168.1.1/', /private/],
    ['the network behind a firewall as IPv6', 'https://r.example/', 'https://[fd12::1]/', /private/],
    ['carrier networks', 'https://r.example/', 'https://100.64.0.1/', /private/],
    ['whatever 0.0.0.0 is', 'https://r.example/', 'https://0.0.0.0/', /loopback/],
  ])('keeps a registry away from %s', (_name, from, to, because) => {
    expect(mayFollow(url(from), url(to))).toMatch(because)
  })
})

describe('judgeRealm()', () => {
  test.each([
    ['Docker Hub', 'https://registry-1.docker.io/', 'https://auth.docker.io/token'],
    ['a registry that is its own token service', 'https://10.1.2.3:5000/', 'https://10.1.2.3:5000/token'],
    ['a plain http registry for tests', 'http://127.0.0.1:5000/', 'http://127.0.0.1:5001/token'],
    ['a token service of the private network', 'http://127.0.0.1:5000/', 'http://10.0.0.1/token'],
    ['a plain http registry that is its own token service', 'http://r.example:5000/', 'http://r.example:5001/token'],
    ['a public token service with TLS', 'http://127.0.0.1:5000/', 'https://auth.example/token'],
  ])('trusts %s', (_name, registry, realm) => {
    expect(judgeRealm(url(registry), url(realm))).toBeUndefined()
  })

  test.each([
    ['a TLS downgrade (GHSA-28r5-37g7-p6mp)', 'https://r.example/', 'http://r.example/token', /plain http/],
    ['a metadata address (GHSA-xf85-363p-868w)', 'https://r.example/', 'https://169.254.169.254/', /link-local/],
    ['a private address (GHSA-xf85-363p-868w)', 'https://r.example/', 'https://10.0.0.1/token', /private/],
    [
      'a public token service without TLS',
      'http://127.0.0.1:5000/',
      'http://auth.example/token',
      /plain http to a public/,
    ],
    ['the same of a plain http registry', 'http://r.example/', 'http://auth.example/token', /plain http to a public/],
    ['a public address without TLS', 'http://10.0.0.1/', 'http://93.184.216.34/token', /plain http to a public/],
    ['credentials in the realm', 'https://r.example/', 'https://u:p@auth.example/token', /credentials/],
  ])('shows no credentials to %s', (_name, registry, realm, because) => {
    expect(judgeRealm(url(registry), url(realm))).toMatch(because)
  })

  test('shows them to a plain http host that the user named, and to no other', () => {
    const plain = new Set(['auth:5001'])
    expect(judgeRealm(url('http://registry:5000/'), url('http://auth:5001/token'), plain)).toBeUndefined()
    expect(judgeRealm(url('http://registry:5000/'), url('http://auth:5002/token'), plain)).toMatch(/plain http/)
    expect(judgeRealm(url('https://registry/'), url('http://auth:5001/token'), plain)).toMatch(/plain http/)
  })
})

describe('redirect()', () => {
  const from: Hop = {
    method: 'GET',
    url: url('https://r.example/v2/a/blobs/x'),
    headers: { Authorization: 'Bearer t', cookie: 'c=1', accept: '*/*', 'content-type': 'text/plain' },
    sendBody: false,
  }
  const hopOf = (hop: Partial<Hop>, status: number, location: string): unknown =>
    redirect({ ...from, ...hop }, status, location, 0)

  test('resolves a relative Location', () => {
    expect(hopOf({}, 307, '/v2/b?x=%2F')).toMatchObject({ hop: { url: url('https://r.example/v2/b?x=%2F') } })
  })

  test.each([
    ['another host (GHSA-jxpm-75mh-9fp7)', 'https://evil.example/'],
    ['another port of the same host (GHSA-vh4v-2xq2-g5cg)', 'https://r.example:8443/'],
    ['a host below it', 'https://cdn.r.example/'],
  ])('gives no credentials to %s', (_name, location) => {
    expect(hopOf({}, 307, location)).toMatchObject({
      hop: { headers: { accept: '*/*', 'content-type': 'text/plain' } },
    })
    expect(hopOf({}, 307, location)).not.toHaveProperty('hop.headers.Authorization')
    expect(hopOf({}, 307, location)).not.toHaveProperty('hop.headers.cookie')
  })

  test('gives no credentials to the same host over another scheme (GHSA-vh4v-2xq2-g5cg)', () => {
    const plain = { ...from, url: url('http://r.example/') }
    expect(redirect(plain, 307, 'https://r.example/', 0)).not.toHaveProperty('hop.headers.Authorization')
  })

  test('keeps credentials on the same origin', () => {
    expect(hopOf({}, 302, 'https://r.example:443/b')).toHaveProperty('hop.headers.Authorization', 'Bearer t')
  })

  test.each([
    ['GET', 301, 'GET'],
    ['HEAD', 303, 'HEAD'],
    ['POST', 301, 'GET'],
    ['POST', 302, 'GET'],
    ['POST', 303, 'GET'],
    ['PUT', 303, 'GET'],
    ['POST', 307, 'POST'],
    ['POST', 308, 'POST'],
    ['PUT', 301, 'PUT'],
    ['PUT', 307, 'PUT'],
    ['PATCH', 308, 'PATCH'],
    ['DELETE', 302, 'DELETE'],
  ])('%s, %d: %s, with the body if the method stays', (method, status, after) => {
    expect(hopOf({ method, sendBody: true }, status, '/b')).toMatchObject({
      hop: { method: after, sendBody: method === after },
    })
  })

  test('does not describe a body that is not sent', () => {
    expect(hopOf({ method: 'POST', sendBody: true }, 303, '/b')).not.toHaveProperty('hop.headers.content-type')
  })

  test.each([
    ['a loop', 'https://r.example/', 5, 'more than 5 redirects'],
    ['nonsense', 'http://[', 0, 'its Location is not a URL'],
    [
      'plain http, without the signature in the message',
      'http://s3.example/b?X-Amz-Signature=secret',
      0,
      'redirect to http://s3.example/b?X-Amz-Signature=…: it leads from https to plain http',
    ],
  ])('refuses %s', (_name, location, hops, refused) => {
    expect(redirect(from, 302, location, hops)).toEqual({ refused })
  })

  test.each([
    ['an upload session', 202, '/v2/a/uploads/1'],
    ['not modified', 304, '/x'],
    ['a redirect without a Location', 307, undefined],
  ])('%s is an answer', (_name, status, location) => {
    expect(redirect(from, status, location, 0)).toBeUndefined()
  })
})
