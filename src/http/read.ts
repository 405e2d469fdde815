import type { IncomingMessage } from 'node:http'
import { Lost } from './exchange.ts'
import { WireError } from './failure.ts'
import { measure, UNMEASURED, type Pace } from './pace.ts'

/** Nobody waits longer for the rest of an answer that is of no interest. */
const DRAIN_MS = 1_000
const DRAIN_BYTES = 64 * 1024

export interface BodyLimits extends Pace {
  readonly silenceMs: number
}

/**
 * The body of an answer, as it arrives. Silence and slowness count only while the reader waits, not while it works.
 *
 * @throws {Lost} when the body breaks off, falls silent, or comes too slowly
 * @throws the reason of the signal as it is
 */
export async function* readBody(
  message: IncomingMessage,
  { silenceMs, ...pace }: BodyLimits,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let waiting = true
  let measured = UNMEASURED
  let since = performance.now()
  const timer = setTimeout(() => {
    if (waiting) message.destroy(new WireError('BODY_TIMEOUT', `the answer stopped for ${silenceMs / 1000} s`))
  }, silenceMs)
  try {
    for await (const chunk of message as AsyncIterable<Uint8Array>) {
      signal?.throwIfAborted()
      waiting = false
      const now = measure(measured, performance.now() - since, chunk.byteLength, pace)
      if (now === 'too-slow') {
        message.destroy()
        const words = `less than ${pace.paceBytes} bytes of the answer came in ${pace.paceMs / 1000} s`
        throw new WireError('BODY_TIMEOUT', words)
      }
      measured = now
      yield chunk
      waiting = true
      since = performance.now()
      timer.refresh()
    }
    await connectionIsFree()
  } catch (cause) {
    signal?.throwIfAborted()
    throw new Lost('the answer broke off', { cause })
  } finally {
    clearTimeout(timer)
  }
}

/** Node gives a connection back a moment after the end of an answer; who asks earlier opens another one. */
async function connectionIsFree(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** Whether an answer has no body by its nature. */
export function isBodiless(method: string, { statusCode = 0 }: IncomingMessage): boolean {
  return method === 'HEAD' || statusCode === 204 || statusCode === 304
}

/** Reads what is left, if that is little, so that the connection can be used again. Never throws. */
export async function drain(message: IncomingMessage): Promise<void> {
  const timer = setTimeout(() => {
    message.destroy()
  }, DRAIN_MS)
  try {
    let bytes = 0
    for await (const chunk of message as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength
      if (bytes > DRAIN_BYTES) return // which closes the connection
    }
    await connectionIsFree()
  } catch {
    // A cut here costs nothing but the connection.
  } finally {
    clearTimeout(timer)
  }
}

/** At most so many bytes; undefined when there are more. */
export async function collect(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array | undefined> {
  const collected: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) return undefined
    collected.push(chunk)
  }
  return Buffer.concat(collected, bytes)
}

/** What there is soon, up to so many bytes. A cut is no error: half a message is better than none. */
export async function beginning(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  { message, excerptMs }: { readonly message: IncomingMessage; readonly excerptMs: number },
): Promise<Uint8Array> {
  const collected: Uint8Array[] = []
  let bytes = 0
  const timer = setTimeout(() => {
    message.destroy()
  }, excerptMs)
  try {
    for await (const chunk of chunks) {
      collected.push(chunk)
      bytes += chunk.byteLength
      if (bytes >= maxBytes) break
    }
  } catch {
    // The caller asks its signal.
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(collected).subarray(0, maxBytes)
}
