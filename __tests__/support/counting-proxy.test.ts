import { startCountingProxy } from './counting-proxy.ts'
import { startFaultServer } from './fault-server.ts'

test('notes what was asked, what was answered and how many bytes went each way', async () => {
  await using server = await startFaultServer([{ status: 201, body: 'made' }, { status: 404 }])
  await using proxy = await startCountingProxy(server.host)
  await fetch(`http://${proxy.host}/v2/a/blobs/uploads/?digest=x`, { method: 'POST', body: '12345' })
  await fetch(`http://${proxy.host}/v2/a/manifests/v1`, { method: 'HEAD' })
  expect(proxy.requests).toEqual([
    { method: 'POST', path: '/v2/a/blobs/uploads/?digest=x', status: 201, requestBytes: 5, responseBytes: 4 },
    { method: 'HEAD', path: '/v2/a/manifests/v1', status: 404, requestBytes: 0, responseBytes: 0 },
  ])
})

test('the server behind and the client see each other’s headers, and the server answers to the name of the proxy', async () => {
  const links = { link: ['<a>; rel="next"', '<b>'], 'docker-content-digest': 'sha256:1' }
  await using server = await startFaultServer([{ status: 200, headers: links }])
  await using proxy = await startCountingProxy(server.host)
  const answer = await fetch(`http://${proxy.host}/v2/`, { headers: { authorization: 'Basic dTpw' } })
  expect(server.seen[0]?.headers).toMatchObject({ host: proxy.host, authorization: 'Basic dTpw' })
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    link: '<a>; rel="next", <b>',
    'docker-content-digest': 'sha256:1',
  })
})

test('bodies of unknown length go through, in both directions', async () => {
  const big = Buffer.alloc(3 << 20, 'x')
  await using server = await startFaultServer([
    {
      handle(request, response) {
        request.pipe(response)
      },
    },
  ])
  await using proxy = await startCountingProxy(server.host)
  const body = new Blob([big]).stream()
  const answer = await fetch(`http://${proxy.host}/echo`, { method: 'PUT', body, duplex: 'half' })
  expect(Buffer.from(await answer.arrayBuffer()).equals(big)).toBe(true)
  expect(proxy.requests[0]).toMatchObject({ requestBytes: big.length, responseBytes: big.length })
})

test.each([
  ['an answer that breaks off', { status: 200, body: 'whole', cutAfter: 2 }],
  ['no answer at all', { drop: true }],
] as const)('%s is not repaired: the client sees what it would see without the proxy', async (_name, step) => {
  await using server = await startFaultServer([step])
  await using proxy = await startCountingProxy(server.host)
  const got = fetch(`http://${proxy.host}/v2/`).then(answer => answer.text())
  await expect(got).rejects.toThrow()
})

test('a refusal that comes before the body was read reaches the client', async () => {
  await using server = await startFaultServer([{ early: 401 }])
  await using proxy = await startCountingProxy(server.host)
  const answer = await fetch(`http://${proxy.host}/v2/`, { method: 'PUT', body: Buffer.alloc(1 << 20) })
  expect(answer.status).toBe(401)
})

test('a client that leaves is noticed by the server behind', async () => {
  let left: (() => void) | undefined
  const gone = new Promise<void>(resolve => (left = resolve))
  await using server = await startFaultServer([
    {
      handle(request) {
        request.socket.once('close', () => left?.())
      },
    },
  ])
  await using proxy = await startCountingProxy(server.host)
  const leaving = new AbortController()
  const asked = fetch(`http://${proxy.host}/v2/`, { signal: leaving.signal })
  await server.arrived(1)
  leaving.abort()
  await expect(asked).rejects.toThrow()
  await expect(gone).resolves.toBeUndefined()
})

test('holds a request back for as long as it is told to', async () => {
  await using server = await startFaultServer([{ status: 200 }, { status: 200 }])
  let release = (): void => undefined
  const wait = new Promise<void>(resolve => {
    release = resolve
  })
  const before = ({ path }: { readonly path: string }): Promise<void> => (path === '/held' ? wait : Promise.resolve())
  await using proxy = await startCountingProxy(server.host, { before })
  const held = fetch(`http://${proxy.host}/held`, { method: 'PUT', body: '12345' })
  await fetch(`http://${proxy.host}/other`)
  expect(server.seen.map(({ url }) => url)).toEqual(['/other'])
  release()
  expect((await held).status).toBe(200)
  expect(proxy.requests.find(({ path }) => path === '/held')).toMatchObject({ status: 200, requestBytes: 5 })
})
