import type { Source } from '../content/ports.ts'
import { InputError, attemptsInto, type InputProblem } from '../errors.ts'
import { documentOf, imagesOf, inspect, type Inspected } from '../image/inspect.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { formatPlatform, parsePlatform, type Platform } from '../oci/platform.ts'
import { formatReference, parseReference, type Reference } from '../oci/reference.ts'
import { runCommand, type CommandParts } from './command.ts'
import type { Flags } from './flags.ts'
import { inspectedJson } from './inspected-json.ts'
import { inspectedLines } from './inspected-lines.ts'
import type { Io, Results } from './io.ts'

export interface InspectParts<D> extends CommandParts<D> {
  /** Where a reference is read from, and by which name. */
  readonly locate: (reference: Reference, deps: D) => { readonly source: Source; readonly name: string }
}

/** Shows what a reference stands for, on standard output; gives the exit code. */
export async function inspectCommand<D>(text: string, flags: Flags, io: Io, parts: InspectParts<D>): Promise<number> {
  const { signal } = parts
  return runCommand(flags, io, parts, {
    complete(values) {
      const { reference } = parseAsked(text, flags)
      // A password without a host is for the only host there is.
      return reference.kind === 'registry' ? { registry: reference.host, ...values } : values
    },
    async run({ deps, display }) {
      const asked = parseAsked(text, flags)
      const print = await resultOf({ ...asked, ...parts.locate(asked.reference, deps), flags, signal })
      display.end()
      print(io.stdout)
    },
  })
}

interface Asked {
  readonly reference: Reference
  readonly platform: Platform | undefined
}

/** @throws {InputError} with every problem */
function parseAsked(text: string, flags: Flags): Asked {
  const problems: InputProblem[] = []
  const attempt = attemptsInto(problems)
  const reference = attempt('REFERENCE', () => parseReference(text))
  const given = flags['platform']
  const platform = typeof given === 'string' ? attempt('platform', () => parsePlatform(given)) : undefined
  const forms = ['raw', 'config', 'json'].filter(form => flags[form] === true)
  if (forms.length > 1) {
    problems.push({
      input: forms[0] ?? 'raw',
      problem: `cannot be had together with --${forms.slice(1).join(' and --')}`,
    })
  }
  if (reference === undefined || problems.length > 0) throw new InputError(problems)
  return { reference, platform }
}

interface Wanted extends Asked {
  readonly source: Source
  readonly name: string
  readonly flags: Flags
  readonly signal: AbortSignal
}

type Print = (to: Results) => void

async function resultOf({ reference, source, name, platform, flags, signal }: Wanted): Promise<Print> {
  const document = async (descriptor: Descriptor): Promise<Print> => {
    const bytes = await documentOf(source, descriptor, { signal })
    return to => {
      to.document(bytes)
    }
  }
  if (flags['raw'] === true && platform === undefined) {
    // Not even parsed: it may be what is wrong with it that somebody wants to see.
    return document(await source.resolve(name, { signal }))
  }
  const found = await inspect(source, name, { platform, signal })
  if (flags['raw'] === true) return document(found.descriptor)
  if (flags['config'] === true) return document(configOf(found))
  const shown = formatReference(reference)
  return to => {
    if (flags['json'] === true) to.json({ reference: shown, ...inspectedJson(found) })
    else to.lines(inspectedLines(shown, found))
  }
}

/** @throws {InputError} where there are several to choose from, or none */
function configOf(found: Inspected): Descriptor {
  if (found.kind === 'artifact') return found.config
  const [image, ...others] = imagesOf(found)
  if (image && others.length === 0) return image.config
  if (!image) throw new InputError([{ input: 'config', problem: 'there is no image, and so no config' }])
  const has = [image, ...others].map(one => formatPlatform(one.descriptor.platform ?? one.platform))
  throw new InputError([{ input: 'platform', problem: `--config is of one platform; there are ${has.join(', ')}` }])
}
