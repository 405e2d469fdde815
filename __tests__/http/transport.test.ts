import { getEventListeners } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
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

  test('Retry-After is waited for, a little longer than asked', async () => {
    await using server = await startFaultServer([{ status: 429, headers: { 'retry-after': '30' } }, { status: 200 }])
    await using http = transport()

    const response = await http.client.request({ method: 'GET', url: server.url })
    await response.discard()

    expect(http.waits).toEqual([33_000])
  })

  test('one 429 holds back the other requests to that host, and none to another', async () => {
    await using server = await startFaultServer([{ status: 429, headers: { 'retry-after': '10' } }])
    await using other = await startFaultServer()
    await using http = transport({ random: () => 0 })
    const ask = async (url: URL): Promise<void> => {
      await (await http.client.request({ method: 'GET', url, retry: 'never' })).discard()
    }

    await ask(server.url)
    await ask(other.url)
    expect(http.waits).toEqual([])
    await ask(server.url)
    expect(http.waits).toEqual([10_000])
  })

  test('a wait of an hour is not taken: the answer says so', async () => {
    await using server = await startFaultServer([{ status: 503, headers: { 'retry-after': '3600' }, body: 'busy' }])
    await using http = transport()

    const response = await http.client.request({ method: 'GET', url: server.url })

    expect(response).toMatchObject({
      status: 503,
      attempts: 1,
      gaveUp: 'it asks to wait 3600 s, longer than 300 s',
    })
    expect(await response.excerpt(100)).toBe('busy')
  })

  test.each([
    ['400', 400, '{"errors":[{"code":"TOOMANYREQUESTS","message":"Rate exceeded"}]}'],
    ['403', 403, '<html>Rate exceeded</html>'],
  ])('throttling in the disguise of %s is waited for like any other', async (_name, status, body) => {
    await using server = await startFaultServer([{ status, body }, { status: 201 }])
    await using http = transport()

    const response = await http.client.request({ method: 'PUT', url: server.url, body: countedBody(10) })

    expect(response).toMatchObject({ status: 201, attempts: 2 })
    expect(http.events).toMatchObject([{ reason: `${status}`, waitMs: 1_000 }])
  })

  test('a refusal of the same status that means it is final, and keeps its body', async () => {
    const body = '{"errors":[{"code":"DENIED"}]}'
    await using server = await startFaultServer([{ status: 403, body }])
    await using http = transport()

    const response = await http.client.request({ method: 'GET', url: server.url })

    expect(response).toMatchObject({ status: 403, attempts: 1, gaveUp: undefined })
    expect(await response.excerpt(1_000)).toBe(body)
  })

  test('after six failures the last answer is handed out, with its body for the message', async () => {
    await using server = await startFaultServer(Array.from({ length: 6 }, () => ({ status: 500, body: 'broken' })))
    await using http = transport()

    const response = await http.client.request({ method: 'GET', url: server.url })

    expect(response).toMatchObject({ status: 500, attempts: 6, gaveUp: 'failed 6 times' })
    expect(await response.excerpt(3)).toBe('bro')
    expect(http.waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000])
  })

  test('a caller with a retry of its own gets the first failure, and whether to try again', async () => {
    await using server = await startFaultServer([{ resetAfter: 0 }, { status: 503 }])
    await using http = transport()
    const request = {
      method: 'PUT',
      url: server.url,
      body: countedBody(10),
      retry: 'never',
      operation: 'push x',
    } as const

    await expect(http.client.request(request)).rejects.toMatchObject({
      name: 'HttpError',
      code: 'UNREACHABLE',
      retriable: true,
      attempts: 1,
      operation: 'push x',
      host: server.host,
      message: `${server.host}: could not push x: the connection was cut (ECONNRESET) (PUT ${server.url.href})`,
    })
    expect(await http.client.request(request)).toMatchObject({ status: 503, gaveUp: undefined })
    expect(http.events).toEqual([])
  })

  test('a registry that is down is named, with the number of attempts', async () => {
    const server = await startFaultServer()
    await server.stop()
    await using http = transport()

    await expect(http.client.request({ method: 'GET', url: new URL('/v2/?t=secret', server.url) })).rejects.toThrow(
      `${server.host}: no answer: the connection was refused, nothing listens there (ECONNREFUSED) ` +
        `(GET http://${server.host}/v2/?t=…, 6 attempts)`,
    )
  })

  test('a registry that stays down ends a run with many layers soon', async () => {
    const server = await startFaultServer()
    await server.stop()
    await using http = transport()
    const push = async (): Promise<unknown> =>
      http.client.request({ method: 'GET', url: server.url }).catch((error: unknown) => error)

    let last: unknown
    for (let layer = 0; layer < 50; layer++) last = await push()

    expect(last).toMatchObject({ attempts: 1, retriable: false })
    expect(last).toMatchObject({ message: /nothing has worked there for \d+ minutes|too many requests/ })
    expect(http.waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(5 * 60_000)
  })

  test('a connection that the host closed while it was idle is replaced without a wait', async () => {
    await using server = await startFaultServer([{ status: 200 }, { resetAfter: 0 }, { status: 200 }])
    await using http = transport()
    const ask = async (): Promise<number> => {
      const response = await http.client.request({ method: 'GET', url: server.url })
      await response.discard()
      return response.status
    }

    expect([await ask(), await ask()]).toEqual([200, 200])
    expect(http.waits).toEqual([0])
    expect(http.events).toMatchObject([{ reason: 'the host had closed the idle connection' }])
  })

  test('a host that answers what is not HTTP on a used connection had not closed it, and is given time', async () => {
    const garbage = {
      handle: (_request: IncomingMessage, response: ServerResponse): void => {
        response.socket?.end('what is not HTTP\r\n\r\n')
      },
    }
    await using server = await startFaultServer([{ status: 200 }, garbage, { status: 200 }])
    await using http = transport()
    for (let i = 0; i < 2; i++) {
      const ask = http.client.request({ method: 'GET', url: server.url })
      await ask.then(response => response.discard()).catch(() => undefined)
    }
    expect(http.waits).not.toContain(0)
    expect(http.events).not.toContainEqual(
      expect.objectContaining({ reason: expect.stringContaining('idle') as string }),
    )
  })
})

describe('time', () => {
  const timeouts = { connectMs: 1_000, answerMs: 300, uploadedMs: 400, silenceMs: 500 }

  test.each([
    ['a host that takes the request and says nothing', { hang: true }, undefined, 'no answer for 0.3 s'],
    ['a host that takes the body and says nothing', { hang: true }, countedBody(10), 'no answer for 0.4 s'],
    [
      'a host that stops reading',
      { hang: true, reading: false },
      countedBody(20_000_000),
      'nothing could be sent for 0.5 s',
    ],
    [
      'a host that stops in the middle of a manifest',
      { status: 200, body: '{}', hangAfter: 1 },
      undefined,
      'the answer stopped for 0.5 s',
    ],
  ] as const)('%s is asked again', async (_name, step, body, reason) => {
    await using server = await startFaultServer([step, { status: 200, body: '{}' }])
    await using http = transport({ timeouts })

    const response = await http.client.request({
      method: body ? 'PUT' : 'GET',
      url: server.url,
      body,
      wholeBodyBytes: 100,
    })

    expect(response).toMatchObject({ status: 200, attempts: 2 })
    expect(http.events).toMatchObject([{ reason }])
  })

  /** Sends a byte every 20 ms for as long as somebody reads. */
  const trickle = (status: number) => ({
    handle: (_request: IncomingMessage, response: ServerResponse) => {
      response.writeHead(status)
      const timer = setInterval(() => response.write('x'), 20)
      response.on('close', () => {
        clearInterval(timer)
      })
    },
  })
  const paced = { ...timeouts, paceMs: 200, paceBytes: 1_000, excerptMs: 100 }

  test.each([
    ['a document', 100_000],
    ['a layer', undefined],
  ])('%s that comes byte by byte is given up, though it never stops', async (_name, wholeBodyBytes) => {
    await using server = await startFaultServer([trickle(200)])
    await using http = transport({ timeouts: paced })
    const options = wholeBodyBytes === undefined ? {} : { wholeBodyBytes }
    const asked = async (): Promise<Uint8Array> => {
      const response = await http.client.request({ method: 'GET', url: server.url, retry: 'never', ...options })
      return response.bytes(100_000)
    }
    await expect(asked()).rejects.toMatchObject({
      code: 'UNREACHABLE',
      retriable: true,
      reason: expect.stringContaining('less than 1000 bytes of the answer came in 0.2 s') as string,
    })
  })

  test.each([400, 404, 500])(
    'a refusal (%i) whose words come byte by byte is told with those that came',
    async status => {
      await using server = await startFaultServer([trickle(status)])
      await using http = transport({ timeouts: paced })
      const response = await http.client.request({ method: 'GET', url: server.url, retry: 'never' })
      expect(response.status).toBe(status)
      expect(await response.excerpt(64 << 10)).toMatch(/^x+$/)
    },
  )

  test('a host that says "wait" without end is given up at once, not after a minute', async () => {
    const flood = {
      handle: (_request: IncomingMessage, response: ServerResponse) => {
        const timer = setInterval(() => {
          response.writeProcessing()
        }, 1)
        response.on('close', () => {
          clearInterval(timer)
        })
      },
    }
    await using server = await startFaultServer([flood])
    await using http = transport({ timeouts: { ...timeouts, answerMs: 20_000 } })
    await expect(http.client.request({ method: 'GET', url: server.url })).rejects.toMatchObject({
      reason: 'more than 32 interim answers',
      retriable: false,
    })
  })

  test('warnings of a host do not fill the log', async () => {
    const warnings = Array.from({ length: 200 }, (_one, i) => `299 - "${i} ${'x'.repeat(100)}"`)
    await using server = await startFaultServer([{ status: 200, headers: { warning: warnings } }])
    await using http = transport()
    await (await http.client.request({ method: 'GET', url: server.url })).discard()
    expect(http.events.filter(({ type }) => type === 'warning')).toHaveLength(50)
  })

  test('a reader that takes its time is not mistaken for a host that went silent', async () => {
    await using server = await startFaultServer([{ status: 200, body: 'x'.repeat(3_000_000) }])
    await using http = transport({ timeouts })
    const response = await http.client.request({ method: 'GET', url: server.url })
    let bytes = 0
    for await (const chunk of response.body) {
      if (bytes === 0) await new Promise(resolve => setTimeout(resolve, 800))
      bytes += chunk.byteLength
    }
    expect(bytes).toBe(3_000_000)
  })
})

describe('abort', () => {
  const reason = new Error('stopped by SIGINT')

  test('ends a back-off at once, with its own reason', async () => {
    await using server = await startFaultServer([{ status: 503, headers: { 'retry-after': '200' } }])
    const controller = new AbortController()
    const client = createTransport({
      version: '1',
      onEvent: () => {
        setImmediate(() => {
          controller.abort(reason)
        })
      },
    })
    const { signal } = controller

    await expect(client.request({ method: 'GET', url: server.url, signal })).rejects.toBe(reason)
    expect(server.seen).toHaveLength(1)
    await client.close()
  })

  test('ends an upload in the middle and is not retried; the source is told', async () => {
    await using server = await startFaultServer([{ hang: true, reading: false }])
    await using http = transport()
    const controller = new AbortController()
    let closed = false
    let told: AbortSignal | undefined
    const body: RequestBody = {
      size: 50_000_000,
      async *open({ signal } = {}) {
        told = signal
        try {
          for (let i = 0; i < 500; i++) yield await Promise.resolve(new Uint8Array(100_000))
        } finally {
          closed = true
        }
      },
    }
    const sent = http.client.request({ method: 'PUT', url: server.url, body, signal: controller.signal })
    await server.arrived(1)
    controller.abort(reason)

    await expect(sent).rejects.toBe(reason)
    expect(http.events).toEqual([])
    expect(told?.aborted).toBe(true)
    await new Promise(resolve => setImmediate(resolve))
    expect(closed).toBe(true)
  })

  test('ends a download in the middle', async () => {
    await using server = await startFaultServer([{ status: 200, body: 'abcdef', hangAfter: 3 }])
    await using http = transport()
    const controller = new AbortController()
    const response = await http.client.request({ method: 'GET', url: server.url, signal: controller.signal })
    const read = async (): Promise<void> => {
      for await (const chunk of response.body) controller.abort(chunk.byteLength > 0 ? reason : undefined)
    }
    await expect(read()).rejects.toBe(reason)
  })

  test('leaves nothing behind on a signal that outlives many requests', async () => {
    await using server = await startFaultServer([{ status: 201 }, { status: 404 }, { status: 200, body: 'x' }])
    await using http = transport()
    const { signal } = new AbortController()
    await (await http.client.request({ method: 'PUT', url: server.url, body: countedBody(10), signal })).discard()
    await http.client.request({ method: 'HEAD', url: server.url, signal })
    await (await http.client.request({ method: 'GET', url: server.url, signal })).text(10)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('a transport that was closed opens no new connection', async () => {
    await using server = await startFaultServer()
    await using http = transport()
    await http.client.close()
    await expect(http.client.request({ method: 'GET', url: server.url })).rejects.toThrow('the transport is closed')
    expect(server.seen).toEqual([])
  })

  test('before the request means no request', async () => {
    await using server = await startFaultServer()
    await using http = transport()
    const signal = AbortSignal.abort(reason)
    await expect(http.client.request({ method: 'GET', url: server.url, signal })).rejects.toBe(reason)
    expect(server.seen).toEqual([])
  })
})

describe('bodies', () => {
  test('a source that fails is not the fault of the host: its error comes out as it is, once', async () => {
    await using server = await startFaultServer([{ status: 201 }])
    await using http = transport()
    const broken = new Error('layer.tar: file changed while it was read')
    const body: RequestBody = {
      size: 10,
      async *open() {
        yield await Promise.resolve(new Uint8Array(5))
        throw broken
      },
    }
    await expect(http.client.request({ method: 'PUT', url: server.url, body })).rejects.toBe(broken)
    expect(http.events).toEqual([])
  })

  test.each([
    ['fewer', 10, 7, 'expected 10 bytes, got 7 bytes'],
    ['more', 10, 11, 'expected 10 bytes, got more'],
  ])('%s bytes than announced are never sent as if they were right', async (_name, size, actual, message) => {
    await using server = await startFaultServer()
    await using http = transport()
    const body = { ...countedBody(actual), size }
    await expect(http.client.request({ method: 'PUT', url: server.url, body })).rejects.toThrow(message)
    expect(http.events).toEqual([])
  })

  test('a source hears to its end, because it may have a last word about its bytes', async () => {
    await using server = await startFaultServer()
    await using http = transport()
    let ended = false
    const body: RequestBody = {
      size: 3,
      async *open() {
        yield Buffer.from('abc')
        await new Promise(resolve => setTimeout(resolve, 20))
        ended = true
      },
    }
    await (await http.client.request({ method: 'PUT', url: server.url, body })).discard()
    expect(ended).toBe(true)
  })

  test('an answer that comes before the body is read ends the upload: a 413 is not an error of the network', async () => {
    await using server = await startFaultServer([{ early: 413 }, { status: 201 }])
    await using http = transport()
    const body = countedBody(500_000_000)
    const refused = await http.client.request({ method: 'PUT', url: server.url, body })
    await refused.discard()
    expect(refused.status).toBe(413)

    const next = await http.client.request({ method: 'PUT', url: server.url, body: countedBody(10) })
    expect(next.status).toBe(201)
    expect(server.seen[1]).toMatchObject({ bytes: 10, connection: 2 })
  })

  test('POST without a body says so, for servers that ask for a length', async () => {
    await using server = await startFaultServer([{ status: 202 }])
    await using http = transport()
    await (await http.client.request({ method: 'POST', url: server.url })).discard()
    expect(server.seen[0]?.headers).toMatchObject({ 'content-length': '0', 'user-agent': 'oci-publish/1.2.3' })
  })

  test('connections are used again', async () => {
    await using server = await startFaultServer([
      { status: 201 },
      { status: 200, body: 'x'.repeat(9_000) },
      { status: 404 },
    ])
    await using http = transport()
    await (await http.client.request({ method: 'PUT', url: server.url, body: countedBody(900_000) })).discard()
    await (await http.client.request({ method: 'GET', url: server.url })).discard()
    await http.client.request({ method: 'HEAD', url: server.url })
    await (await http.client.request({ method: 'GET', url: server.url })).discard()
    expect(server.seen.map(({ connection }) => connection)).toEqual([1, 1, 1, 1])
  })

  test('the body of an answer is limited where it is read', async () => {
    const answers = Array.from({ length: 3 }, () => ({ status: 200, body: 'x'.repeat(1_000) }))
    await using server = await startFaultServer(answers)
    await using http = transport()
    const ask = { method: 'GET', url: server.url }
    await expect((await http.client.request(ask)).bytes(999)).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE' })
    await expect(http.client.request({ ...ask, wholeBodyBytes: 999 })).rejects.toThrow('is larger than 999 bytes')
    expect(await (await http.client.request(ask)).text(1_000)).toHaveLength(1_000)
  })

  test('a download that is cut says so, and that it may be taken up again', async () => {
    await using server = await startFaultServer([{ status: 200, body: 'abcdef', cutAfter: 3 }])
    await using http = transport()
    const response = await http.client.request({ method: 'GET', url: server.url, operation: 'read blob x' })
    let read = ''
    const readAll = async (): Promise<void> => {
      for await (const chunk of response.body) read += Buffer.from(chunk).toString()
    }
    await expect(readAll()).rejects.toMatchObject({
      code: 'UNREACHABLE',
      retriable: true,
      reason: 'the answer broke off: the connection was cut (ECONNRESET)',
    })
    expect(read).toBe('abc')
  })
})

describe('headers', () => {
  test('40 KB of them are read, as Google sends them', async () => {
    const long = 'x'.repeat(40_000)
    await using server = await startFaultServer([{ status: 200, headers: { 'x-long': long } }])
    await using http = transport()
    const response = await http.client.request({ method: 'HEAD', url: server.url })
    expect(response.header('X-Long')).toBe(long)
  })

  test('all values of a name are kept, in any case', async () => {
    await using server = await startFaultServer([{ status: 200, headers: { 'OCI-Tag': ['a', 'b'] } }])
    await using http = transport()
    const response = await http.client.request({ method: 'HEAD', url: server.url })
    expect(response.headerValues('oci-tag')).toEqual(['a', 'b'])
    expect(response.header('oci-tag')).toBe('a')
    expect(response.header('absent')).toBeUndefined()
  })

  test('what a registry wants people to read is passed on once', async () => {
    const warn = { status: 200, headers: { warning: ['299 - "this registry closes on \\"Friday\\""', '199 - "no"'] } }
    await using server = await startFaultServer([warn, warn])
    await using http = transport()
    await http.client.request({ method: 'HEAD', url: server.url })
    await http.client.request({ method: 'HEAD', url: server.url })
    expect(http.events).toEqual([{ type: 'warning', host: server.host, text: 'this registry closes on "Friday"' }])
  })
})

describe('redirects', () => {
  test('storage gets the request without the credentials of the registry (GHSA-vh4v-2xq2-g5cg)', async () => {
    await using storage = await startFaultServer([{ status: 200, body: 'blob' }])
    await using server = await startFaultServer([{ status: 307, headers: { location: `${storage.url.href}b?sig=1` } }])
    await using http = transport()
    const headers = { authorization: 'Bearer t', accept: 'x/y' }

    const response = await http.client.request({ method: 'GET', url: server.url, headers })

    expect(await response.text(10)).toBe('blob')
    expect(response.url.href).toBe(`${storage.url.href}b?sig=1`)
    expect(server.seen[0]?.headers).toMatchObject(headers)
    expect(storage.seen[0]).toMatchObject({ url: '/b?sig=1', headers: { accept: 'x/y' } })
    expect(storage.seen[0]?.headers).not.toHaveProperty('authorization')
  })

  test('a challenge counts only from who was asked: storage gets nobody to send credentials anywhere', async () => {
    const challenge = { status: 401, headers: { 'WWW-Authenticate': 'Bearer realm="https://evil.example/"' } }
    await using storage = await startFaultServer([challenge])
    await using server = await startFaultServer([
      { status: 307, headers: { location: storage.url.href } },
      challenge,
      { status: 307, headers: { location: '/elsewhere' } },
      challenge,
    ])
    await using http = transport()
    const ask = async (): Promise<readonly string[]> => {
      const response = await http.client.request({ method: 'GET', url: server.url })
      await response.discard()
      return [`${response.status}`, ...response.headerValues('www-authenticate')]
    }

    expect(await ask()).toEqual(['401'])
    expect(await ask()).toEqual(['401', 'Bearer realm="https://evil.example/"'])
    expect(await ask()).toEqual(['401', 'Bearer realm="https://evil.example/"'])
  })

  test('307 sends the body again, from its first byte', async () => {
    await using server = await startFaultServer([{ status: 307, headers: { location: '/b' } }, { status: 201 }])
    await using http = transport()
    await (await http.client.request({ method: 'PUT', url: server.url, body: countedBody(70_000) })).discard()
    expect(server.seen).toMatchObject([
      { url: '/', bytes: 70_000 },
      { method: 'PUT', url: '/b', bytes: 70_000 },
    ])
  })

  test('storage that fails sends us back to the registry for a fresh redirect', async () => {
    await using storage = await startFaultServer([{ status: 503 }, { status: 200, body: 'blob' }])
    const location = { location: storage.url.href }
    await using server = await startFaultServer([
      { status: 307, headers: location },
      { status: 307, headers: location },
    ])
    await using http = transport()
    const response = await http.client.request({ method: 'GET', url: server.url })
    expect(await response.text(10)).toBe('blob')
    expect(server.seen).toHaveLength(2)
    expect(http.events).toMatchObject([{ host: storage.host, reason: '503' }])
  })

  test('a loop ends after five', async () => {
    await using server = await startFaultServer(
      Array.from({ length: 9 }, () => ({ status: 302, headers: { location: '/' } })),
    )
    await using http = transport()
    await expect(http.client.request({ method: 'GET', url: server.url })).rejects.toMatchObject({
      code: 'REDIRECT_REFUSED',
      retriable: false,
      reason: 'more than 5 redirects',
    })
    expect(server.seen).toHaveLength(6)
  })

  test('a caller that wants to see the Location sees it', async () => {
    await using server = await startFaultServer([{ status: 307, headers: { location: '/b' } }])
    await using http = transport()
    const response = await http.client.request({ method: 'GET', url: server.url, redirect: 'manual' })
    expect([response.status, response.header('location')]).toEqual([307, '/b'])
    await response.discard()
  })
})
