import type { ClientRequest, IncomingMessage } from 'node:http'
import { IntegrityError } from '../errors.ts'
import type { Connections } from './connect.ts'
import type { Pace } from './pace.ts'
import { WireError, codeOf } from './failure.ts'
import { redactUrl } from './redact.ts'
import type { RequestBody } from './transport.ts'

/** How long to wait for what. No limit on the whole: a layer may take hours as long as it moves, and not too slowly. */
export interface Timeouts extends Pace {
  readonly connectMs: number
  /** From the last byte of a request to the first of its answer. */
  readonly answerMs: number
  /** The same after a body: a registry on object storage copies gigabytes before it answers. */
  readonly uploadedMs: number
  /** Without a byte while a body is under way, in either direction. */
  readonly silenceMs: number
  /** For the words of a refusal, of which there need not be all. */
  readonly excerptMs: number
}

/** One request on the wire, as it is: no retry, no redirect. */
export interface Call {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: RequestBody | undefined
  readonly signal: AbortSignal | undefined
}

/** The network did not deliver; `cause` is how. Inside this room only. */
export class Lost extends Error {
  override readonly name = 'Lost'
}

/** 100 Continue, 103 Early Hints and their kin; servers send one or two. */
const MAX_INTERIM = 32
const MAX_HEADER_BYTES = 64 * 1024 // Google's registry sends more than Node's 16 KiB
/** In bigger pieces a slow line would look silent while it is busy. */
const SLICE_BYTES = 256 * 1024
/** As much may wait for the line, so that the source goes on while the line is busy, and the line while the source is. */
const AHEAD_BYTES = 256 * 1024
/** A connection that breaks later than this was alive when the request began. */
const STALE_BYTES = 1024 * 1024
const MAY_HAVE_BODY = new Set(['POST', 'PUT', 'PATCH'])

const noop = (): void => undefined

/**
 * Sends a request and waits for the head of its answer.
 *
 * An answer that comes before the body is sent ends the sending, and its connection is not used again.
 *
 * @throws {Lost}
 * @throws what the source of the body threw, and the reason of the signal, both as they are
 */
export async function exchange(call: Call, connections: Connections, timeouts: Timeouts): Promise<IncomingMessage> {
  call.signal?.throwIfAborted()
  const request = start(call, connections)
  const sending = new Sending(request, call, timeouts)
  const abort = (): void => {
    sending.stop()
    request.destroy()
  }
  call.signal?.addEventListener('abort', abort, { once: true })
  const detach = (): void => {
    call.signal?.removeEventListener('abort', abort)
  }
  const sent = sending.run()
  try {
    const response = await answer(request)
    response.on('error', noop) // whoever reads the body sees it there
    response.once('close', detach)
    response.once('end', () => {
      if (!request.writableFinished) request.destroy()
    })
    if (sending.complete) await sent // the source may have a last word about its bytes
    call.signal?.throwIfAborted()
    if (sending.broken) throw sending.broken.error
    sending.stop()
    return response
  } catch (cause) {
    abort()
    detach()
    call.signal?.throwIfAborted()
    if (sending.broken) throw sending.broken.error
    throw new Lost('no answer', { cause: isStale(cause, request, sending.bytes) ? stale(cause) : cause })
  }
}

function start({ method, url, headers, body }: Call, connections: Connections): ClientRequest {
  const route = connections.to(url)
  const request = route.send({
    ...route.target,
    agent: route.agent,
    method,
    path: route.path(url),
    headers: {
      host: url.host,
      ...headers,
      ...route.headers,
      ...((body !== undefined || MAY_HAVE_BODY.has(method)) && { 'content-length': body?.size ?? 0 }),
    },
    maxHeaderSize: MAX_HEADER_BYTES,
  })
  request.on('error', noop) // the first one is listened to below, what follows it says nothing new
  return request
}

async function answer(request: ClientRequest): Promise<IncomingMessage> {
  let interim = 0
  request.on('information', () => {
    if (++interim > MAX_INTERIM)
      request.destroy(new WireError('INTERIM_FLOOD', `more than ${MAX_INTERIM} interim answers`))
  })
  return new Promise((resolve, reject) => {
    request.once('response', resolve).once('error', reject)
    request.once('close', () => {
      reject(Object.assign(new Error('closed without an answer'), { code: 'ECONNRESET' }))
    })
  })
}

function isStale(cause: unknown, request: ClientRequest, bytes: number): boolean {
  return request.reusedSocket && bytes <= STALE_BYTES && ['ECONNRESET', 'EPIPE'].includes(codeOf(cause))
}

function stale(cause: unknown): WireError {
  return new WireError('STALE_CONNECTION', 'the host had closed the idle connection', { cause })
}

/** The outgoing half of an exchange. */
class Sending {
  readonly #request: ClientRequest
  readonly #call: Call
  readonly #timeouts: Timeouts
  readonly #stop = new AbortController()
  #timer: NodeJS.Timeout | undefined
  /** Handed to the connection so far. */
  bytes = 0
  /** The source failed, not the network. */
  broken: { readonly error: unknown } | undefined

  constructor(request: ClientRequest, call: Call, timeouts: Timeouts) {
    this.#request = request
    this.#call = call
    this.#timeouts = timeouts
  }

  get complete(): boolean {
    return this.bytes === (this.#call.body?.size ?? 0)
  }

  /** Never rejects: a broken source breaks the request, and is remembered. */
  async run(): Promise<void> {
    try {
      await this.#connected()
      if (this.#call.body) await this.#pour(this.#call.body)
      if (this.#stopped()) return
      this.#request.end()
      this.#allow(this.#call.body ? this.#timeouts.uploadedMs : this.#timeouts.answerMs, 'ANSWER_TIMEOUT', 'no answer')
    } catch (error) {
      if (this.#stopped()) return
      this.broken = { error }
      this.#request.destroy()
    }
  }

  /** The answer is there, or will not come. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#stop.abort()
  }

  #stopped(): boolean {
    return this.#stop.signal.aborted
  }

  async #pour(body: RequestBody): Promise<void> {
    for await (const chunk of body.open({ signal: this.#stop.signal })) {
      if (this.#stopped()) return
      if (this.bytes + chunk.byteLength > body.size) throw this.#mismatch(body, 'more')
      for (let from = 0; from < chunk.byteLength; from += SLICE_BYTES) {
        const slice = chunk.byteLength <= SLICE_BYTES ? chunk : chunk.subarray(from, from + SLICE_BYTES)
        this.bytes += slice.byteLength
        if (!this.#request.write(slice) && this.#request.writableLength > AHEAD_BYTES) await this.#drained()
        if (this.#stopped()) return
      }
    }
    if (!this.complete && !this.#stopped()) throw this.#mismatch(body, `${this.bytes} bytes`)
  }

  #mismatch(body: RequestBody, actual: string): IntegrityError {
    return new IntegrityError(`${this.#call.method} ${redactUrl(this.#call.url)}`, `${body.size} bytes`, actual)
  }

  /** No source is opened, and no time is counted, before there is a connection. */
  async #connected(): Promise<void> {
    if (this.#request.socket) return
    await this.#until('socket')
  }

  async #drained(): Promise<void> {
    this.#allow(this.#timeouts.silenceMs, 'SEND_TIMEOUT', 'nothing could be sent')
    await this.#until('drain')
    clearTimeout(this.#timer)
  }

  /** Or until nothing more is to be sent. */
  async #until(event: 'socket' | 'drain'): Promise<void> {
    return new Promise(resolve => {
      const done = (): void => {
        this.#request.off(event, done).off('response', done).off('close', done)
        this.#stop.signal.removeEventListener('abort', done)
        resolve()
      }
      this.#request.once(event, done).once('response', done).once('close', done)
      this.#stop.signal.addEventListener('abort', done, { once: true })
    })
  }

  #allow(ms: number, code: 'SEND_TIMEOUT' | 'ANSWER_TIMEOUT', words: string): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#request.destroy(new WireError(code, `${words} for ${ms / 1000} s`))
    }, ms)
  }
}
