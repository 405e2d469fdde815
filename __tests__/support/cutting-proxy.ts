import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'

/** Passes bytes on between a client and a server, and cuts some of the connections. */
export interface CuttingProxy extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly host: string
  /** Bytes that clients sent, whatever became of them. */
  readonly sentBytes: number
  /** Transfers that began, and those that were cut. */
  readonly transfers: number
  readonly cuts: number
}

export interface CuttingOptions {
  /** Of so many transfers one is cut. */
  readonly every: number
  /**
   * A client that sends more than this without an answer between is in a transfer. It is cut after one to nine times as
   * much more, another time at another point, so that one of ten times as much does not get through.
   */
  readonly bytes: number
}

/**
 * @param target host and port of the server behind; its protocol does not matter, so long as one side speaks at a time
 */
export async function startCuttingProxy(target: string, { every, bytes }: CuttingOptions): Promise<CuttingProxy> {
  const counts = { sentBytes: 0, transfers: 0, cuts: 0 }
  const sockets = new Set<Socket>()
  const { hostname, port } = new URL(`http://${target}`)
  const server = createServer(client => {
    const onward = connect({ host: hostname, port: Number(port) })
    let sent = 0
    const end = (): void => {
      client.destroy()
      onward.destroy()
    }
    for (const socket of [client, onward]) {
      sockets.add(socket)
      socket.on('error', end).on('close', () => {
        sockets.delete(socket)
        end()
      })
    }
    let cutAt = Infinity
    client.on('data', (chunk: Buffer) => {
      counts.sentBytes += chunk.byteLength
      const before = sent
      sent += chunk.byteLength
      if (before <= bytes && sent > bytes) {
        counts.transfers++
        if (counts.transfers % every === 0) cutAt = bytes * (2 + (counts.cuts % 9))
      }
      if (sent <= cutAt) {
        if (!onward.write(chunk)) client.pause()
        return
      }
      counts.cuts++
      cutAt = Infinity
      client.resetAndDestroy()
      onward.destroy()
    })
    onward.on('drain', () => client.resume())
    onward.on('data', (chunk: Buffer) => {
      sent = 0
      cutAt = Infinity
      if (!client.write(chunk)) onward.pause()
    })
    client.on('drain', () => onward.resume())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo
  return {
    host: `127.0.0.1:${address.port}`,
    get sentBytes() {
      return counts.sentBytes
    },
    get transfers() {
      return counts.transfers
    },
    get cuts() {
      return counts.cuts
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
