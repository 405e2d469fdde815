import type { TransportOptions } from '../../src/http/client.ts'
import { createTransport } from '../../src/http/client.ts'
import type { HttpEvent } from '../../src/http/event.ts'
import { bytesBody } from '../../src/http/body.ts'
import type { RequestBody, Transport } from '../../src/http/transport.ts'
import { startFaultServer } from '../support/fault-server.ts'

/** A transport whose waits take no time but are written down, and whose luck is always the worst. */
function transport(options: Partial<TransportOptions> = {}): {
  client: Transport
  events: HttpEvent[]
  waits: number[]
} & AsyncDisposable {
  const events: HttpEvent[] = []
  const waits: number[] = []
  let nowMs = 1_000_000
  const client = createTransport({
    version: '1.2.3',
    onEvent: event => events.push(event),
    random: () => 1,
    clock: {
      now: () => nowMs,
      sleep: async (waitMs, signal) => {
        signal?.throwIfAborted()
        waits.push(waitMs)
        nowMs += waitMs
        await Promise.resolve()
      },
    },
    ...options,
  })
  return { client, events, waits, [Symbol.asyncDispose]: () => client.close() }
}

/** So many bytes in chunks, and how often they were asked for. */
function countedBody(size: number, chunk = 64 * 1024): RequestBody & { opened: number } {
  const body = {
    size,
    opened: 0,
    async *open(): AsyncGenerator<Uint8Array> {
      body.opened++
      for (let left = size; left > 0; left -= chunk) {
        yield new Uint8Array(Math.min(chunk, left)).fill(97)
        await Promise.resolve()
      }
    },
  }
  return body
}

describe('a flaky registry', () => {
  test('503 and then 201 is a success that was told about once', async () => {
    await using server = await startFaultServer([
      { status: 503, headers: { 'x-request-id': 'r-1' } },
      { status: 201, body: 'made' },
    ])
    await using http = transport()
    const body = countedBody(100_000)

    const response = await http.client.request({ method: 'PUT', url: server.url, body, operation: 'push blob' })

    expect(response).toMatchObject({ status: 201, attempts: 2, gaveUp: undefined })
    expect(await response.text(100)).toBe('made')
    expect(server.seen.map(({ bytes }) => bytes)).toEqual([100_000, 100_000])
    expect(body.opened).toBe(2)
    expect(http.events).toEqual([
      {
        type: 'retry',
        host: server.host,
        operation: 'push blob',
        reason: '503',
        attempt: 1,
        attempts: 6,
        waitMs: 1000,
        requestId: 'r-1',
      },
    ])
  })

  test('a connection reset in the middle of an upload costs a second upload from the first byte', async () => {
    await using server = await startFaultServer([{ resetAfter: 300_000 }, { status: 201 }])
    await using http = transport()
    const body = countedBody(3_000_000)

    const response = await http.client.request({ method: 'PUT', url: server.url, body })

    expect(response.status).toBe(201)
    expect(server.seen[1]).toMatchObject({ bytes: 3_000_000, headers: { 'content-length': '3000000' } })
    expect(http.events).toMatchObject([{ type: 'retry', attempt: 1 }])
  })

  test.each([
    ['before the body is read', { resetAfter: 0 }],
    ['instead of an answer', { drop: true }],
    ['in the middle of the answer', { status: 200, body: '{"a":1}', cutAfter: 3 }],
  ] as const)('a connection cut %s does not lose a token', async (_name, step) => {
    await using server = await startFaultServer([step, { status: 200, body: '{"a":1}' }])
    await using http = transport()

    const response = await http.client.request({
      method: 'POST',
      url: server.url,
      body: bytesBody(Buffer.from('grant_type=password')),
      wholeBodyBytes: 1000,
    })

    expect(await response.text(1000)).toBe('{"a":1}')
    expect(response.attempts).toBe(2)
  })
})
