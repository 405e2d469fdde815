import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Answer } from './answer.ts'
import type { SeenRequest } from './seen.ts'

/** Thrown where a client broke off, or was cut off: nobody waits for an answer. */
export class Gone extends Error {}

/** The request's body, counted, and cut off where a fault says so. */
export async function* arriving(
  request: IncomingMessage,
  seen: Pick<SeenRequest, 'bodyBytes' | 'whole'>,
  cutAfter: number,
): AsyncGenerator<Uint8Array> {
  const { socket } = request // gone from the request once its stream is left
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      const part = piece.subarray(0, cutAfter - seen.bodyBytes)
      seen.bodyBytes += part.byteLength
      yield part
      if (seen.bodyBytes < cutAfter) continue
      reset(socket)
      break
    }
  } catch (error) {
    throw new Gone('the client broke off', { cause: error })
  }
  if (seen.bodyBytes >= cutAfter) throw new Gone('cut on purpose')
  seen.whole = true
}

export function reset(socket: Socket): void {
  if ('encrypted' in socket) socket.destroy()
  else socket.resetAndDestroy()
}

/** @throws {Gone} where it was cut off after so many bytes of the body */
export async function send(response: ServerResponse, method: string, answer: Answer, cutAfter: number): Promise<void> {
  const { status, headers = {}, body = Buffer.alloc(0) } = answer
  const pieces = body instanceof Uint8Array ? [body] : body
  const length = answer.size ?? (body instanceof Uint8Array ? body.byteLength : 0)
  response.writeHead(status, {
    ...(status !== 204 && { 'content-length': length }),
    ...Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
    ),
  })
  let sent = 0
  if (method !== 'HEAD') {
    for await (const piece of pieces) {
      const part = piece.subarray(0, cutAfter - sent)
      sent += part.byteLength
      if (part.byteLength > 0 && !response.write(part)) await drained(response)
      if (sent >= cutAfter) break
    }
  }
  if (cutAfter !== Infinity) {
    response.flushHeaders()
    // What was written must have left before the connection goes.
    await new Promise<void>(resolve => setImmediate(resolve))
    throw new Gone('cut on purpose')
  }
  response.end()
}

async function drained(response: ServerResponse): Promise<void> {
  await new Promise<void>(resolve => {
    response.once('drain', resolve).once('close', resolve)
  })
}
