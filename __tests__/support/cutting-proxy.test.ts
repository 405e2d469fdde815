import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:http'
import { startCuttingProxy } from './cutting-proxy.ts'

/** Takes whatever is sent, and says how much it was. */
async function startSink() {
  const server = createServer((request, response) => {
    let size = 0
    request.on('data', (chunk: Buffer) => (size += chunk.byteLength))
    request.on('end', () => response.end(String(size)))
    request.on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

test('of the transfers that are large every second is cut, and small requests never', async () => {
  await using sink = await startSink()
  await using proxy = await startCuttingProxy(sink.host, { every: 2, bytes: 100_000 })
  const send = async (size: number): Promise<string> => {
    try {
      const answer = await fetch(`http://${proxy.host}/`, { method: 'PUT', body: Buffer.alloc(size) })
      return await answer.text()
    } catch {
      return 'cut'
    }
  }
  const seen: string[] = []
  for (const size of [10, 1_000_000, 1_000_000, 10, 1_000_000, 1_000_000, 10]) seen.push(await send(size))
  expect(seen).toEqual(['10', '1000000', 'cut', '10', '1000000', 'cut', '10'])
  expect([proxy.transfers, proxy.cuts]).toEqual([4, 2])
  expect(proxy.sentBytes).toBeGreaterThan(2_000_000)
})
