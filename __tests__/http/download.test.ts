import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTransport } from '../../src/http/client.ts'
import { download } from '../../src/http/download.ts'

async function answered(status: number, body: string, maxBytes: number): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const transport = createTransport({ version: '0' })
  try {
    const bytes = await download(transport, new URL(`http://127.0.0.1:${port}/a?token=secret`), { maxBytes })
    return Buffer.from(bytes).toString()
  } finally {
    await transport.close()
    server.close()
  }
}

test('gives all that an address holds', async () => {
  await expect(answered(200, 'hello', 5)).resolves.toBe('hello')
})

test('gives nothing of more than was asked for', async () => {
  await expect(answered(200, 'hello', 4)).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE' })
})

test('says what was answered, and where, without what may be secret in it', async () => {
  const failed = answered(404, 'not here', 100)
  await expect(failed).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' })
  await expect(failed).rejects.toThrow(/^http:\/\/127\.0\.0\.1:\d+\/a: answered 404$/)
})
