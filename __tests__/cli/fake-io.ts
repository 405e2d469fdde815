import type { Streams } from '../../src/cli/io.ts'

export interface FakeIo {
  readonly io: Streams
  readonly out: () => string
  readonly err: () => string
}

/** Streams that keep what is written; standard input is given. */
export function fakeIo({ stdin = '', tty = false }: { readonly stdin?: string; readonly tty?: boolean } = {}): FakeIo {
  const out: Buffer[] = []
  const err: Buffer[] = []
  const io: Streams = {
    stdin: (async function* () {
      yield await Promise.resolve(stdin)
    })(),
    stdout: { write: content => out.push(Buffer.from(content as string)), columns: 100, isTTY: tty },
    stderr: { write: content => err.push(Buffer.from(content as string)), isTTY: tty, columns: 100 },
  }
  return { io, out: () => Buffer.concat(out).toString(), err: () => Buffer.concat(err).toString() }
}
