import { CommanderError } from 'commander'
import { failuresOf } from '../tell/failure.ts'
import { failureLines } from './failure-lines.ts'
import { openIo, type Streams } from './io.ts'
import { commandOf, plainCommand } from './program/command-of.ts'
import { COMMANDS } from './program/commands.ts'
import { EXAMPLES, STREAMS } from './program/texts.ts'
import type { CliParts } from './publish.ts'

/**
 * Runs one command line.
 *
 * @param argv without node and script
 * @returns the exit code: 0 done, 1 it failed, 2 the request is wrong, 130 stopped
 */
export async function runCli<D>(argv: readonly string[], streams: Streams, parts: CliParts<D>): Promise<number> {
  const io = openIo(streams)
  let exitCode = 0
  const program = plainCommand('oci-publish', io)
    .description('Assembles container images without a daemon and publishes them to OCI registries')
    .version(parts.version, '--version', 'print the version')
    .addHelpText('after', EXAMPLES + STREAMS)
    .showSuggestionAfterError()
  for (const declared of COMMANDS) {
    const command = commandOf(declared, io, async (run, words, flags) => {
      exitCode = await run(words, flags, io, parts)
    })
    program.addCommand(command)
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    tellUncaught(error, streams, parts.env)
    return 1
  }
}

/** Not even what nobody foresaw leaves by another way: Node would print it as it is. */
export function tellUncaught(error: unknown, streams: Streams, env: NodeJS.ProcessEnv): void {
  openIo(streams).stderr.say(failureLines(failuresOf(error), { stacks: env['OCI_PUBLISH_DEBUG'] === '1' }))
}
