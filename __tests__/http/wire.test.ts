import { createTransport } from '../../src/http/client.ts'
import { bytesBody } from '../../src/http/body.ts'
import { startFaultServer } from '../support/fault-server.ts'

const transport = (): ReturnType<typeof createTransport> & AsyncDisposable => {
  const client = createTransport({ version: '0' })
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() })
}

describe('what a request is on the wire', () => {
  test.each([
    ['GET', undefined],
    ['HEAD', undefined],
    ['DELETE', undefined],
    ['POST', '0'],
    ['PUT', '0'],
    ['PATCH', '0'],
  ])('%s without a body has the length %s: some registries refuse the other way', async (method, length) => {
    await using server = await startFaultServer()
    await using client = transport()
    await (await client.request({ method, url: server.url })).discard()
    const [{ headers } = { headers: {} as Readonly<Record<string, string>> }] = server.seen
    expect(headers['content-length']).toBe(length)
    expect(headers['transfer-encoding']).toBeUndefined()
  })

  test('a body has its length, and is not sent in chunks', async () => {
    await using server = await startFaultServer()
    await using client = transport()
    for (const method of ['PUT', 'DELETE']) {
      const body = bytesBody(Buffer.from('12345'))
      await (await client.request({ method, url: server.url, body })).discard()
      expect(server.seen.at(-1)).toMatchObject({ method, body: '12345', headers: { 'content-length': '5' } })
    }
  })

  test('the host has its port, and headers are sent as they are given', async () => {
    await using server = await startFaultServer()
    await using client = transport()
    await (await client.request({ method: 'GET', url: server.url, headers: { accept: 'a/b' } })).discard()
    expect(server.seen[0]?.headers).toMatchObject({ host: server.host, accept: 'a/b' })
  })
})

test.each(['HEAD', 'GET'])(
  'an answer to %s without a body has none, and the connection is used again',
  async method => {
    const status = method === 'HEAD' ? 200 : 304
    await using server = await startFaultServer([{ status }, { status: 204 }, { status: 200, body: 'x' }])
    await using client = transport()
    const texts = []
    for (const one of [method, 'GET', 'GET']) {
      texts.push(await (await client.request({ method: one, url: server.url })).text(10))
    }
    expect(texts).toEqual(['', '', 'x'])
    expect(new Set(server.seen.map(({ connection }) => connection)).size).toBe(1)
  },
)
