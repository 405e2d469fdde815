import { runCli } from '../../src/cli/program.ts'
import { cliParts } from '../../src/cli-parts.ts'
import { fakeIo } from './fake-io.ts'

export interface Ran {
  readonly exitCode: number
  readonly out: string
  readonly err: string
}

/** Runs a command line on everything real, but for its streams. */
export async function runReal(
  line: string | readonly string[],
  env: NodeJS.ProcessEnv = {},
  streams: Parameters<typeof fakeIo>[0] = {},
): Promise<Ran> {
  const { io, out, err } = fakeIo(streams)
  const argv = typeof line === 'string' ? line.split(' ') : line
  const exitCode = await runCli(argv, io, cliParts({ env, signal: new AbortController().signal }))
  return { exitCode, out: out(), err: err() }
}
