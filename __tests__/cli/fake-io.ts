import type { Io } from '../../src/cli/io.ts'

export interface FakeIo {
  readonly io: Io
  readonly out: () => string
  readonly err: () => string
}

/** Streams that keep what is written; standard input is given. */
export function fakeIo({ stdin = '', tty = false }: { readonly stdin?: string; readonly tty?: boolean } = {}): FakeIo {
  const out: string[] = []
  const err: string[] = []
  const io: Io = {
    stdin: (async function* () {
      yield await Promise.resolve(stdin)
    })(),
    stdout: { write: text => out.push(text), columns: 100 },
    stderr: { write: text => err.push(text), isTTY: tty, columns: 100 },
  }
  return { io, out: () => out.join(''), err: () => err.join('') }
}
