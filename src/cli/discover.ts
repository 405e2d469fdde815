import type { Discovered } from '../artifact/discover.ts'
import { InputError, messageOf } from '../errors.ts'
import { formatReference, parseReference, type Reference } from '../oci/reference.ts'
import { runCommand, type CommandParts } from './command.ts'
import { discoveredJson } from './discovered-json.ts'
import { discoveredLines } from './discovered-lines.ts'
import type { Flags } from './flags.ts'
import type { Io } from './io.ts'
import { withRegistryOf } from './registry-of.ts'

export interface DiscoverParts<D> extends CommandParts<D> {
  readonly discover: (reference: Reference, deps: D, options: { signal: AbortSignal }) => Promise<Discovered>
}

/** Shows everything that hangs on a reference, on standard output; gives the exit code. */
export async function discoverCommand<D>(text: string, flags: Flags, io: Io, parts: DiscoverParts<D>): Promise<number> {
  return runCommand(flags, io, parts, {
    complete(values) {
      parse(text)
      return withRegistryOf(text, values)
    },
    async run({ deps, display }) {
      const reference = parse(text)
      const found = await parts.discover(reference, deps, { signal: parts.signal })
      display.end()
      const name = formatReference(reference)
      if (flags['json'] === true) io.stdout.json({ reference: name, ...discoveredJson(found) })
      else io.stdout.lines(discoveredLines(name, found))
    },
  })
}

/** @throws {InputError} */
function parse(text: string): Reference {
  try {
    return parseReference(text)
  } catch (error) {
    throw new InputError([{ input: 'REFERENCE', problem: messageOf(error) }])
  }
}
