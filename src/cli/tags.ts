import type { Source } from '../content/ports.ts'
import { InputError, OciPublishError, messageOf, type InputProblem } from '../errors.ts'
import { quoted } from '../oci/quoted.ts'
import { formatReference, parseReference, type Reference } from '../oci/reference.ts'
import type { Tag } from '../oci/tag.ts'
import { runCommand } from './command.ts'
import type { Flags } from './flags.ts'
import type { InspectParts } from './inspect.ts'
import type { Io } from './io.ts'

/** Lists the tags of a repository, one a line; gives the exit code. */
export async function tagsCommand<D>(text: string, flags: Flags, io: Io, parts: InspectParts<D>): Promise<number> {
  const { signal } = parts
  let reference: Reference | undefined
  return runCommand(flags, io, parts, {
    complete(values) {
      const asked = parseRepository(text)
      reference = asked
      return { registry: asked.host, ...values } // a password without a host is for the only host there is
    },
    async run({ deps, display }) {
      if (!reference) throw new TypeError('nothing was asked for') // `complete` throws then
      const { tags, others } = await listed(parts.locate(reference, deps).source, signal)
      display.end()
      display.say(warningsOf(others))
      const repository = formatReference(reference)
      if (flags['json'] === true) io.stdout.json({ repository, tags })
      else io.stdout.lines(tags)
    },
  })
}

interface Listed {
  readonly tags: readonly Tag[]
  /** Names that are not tags. */
  readonly others: readonly string[]
}

async function listed(source: Source, signal: AbortSignal): Promise<Listed> {
  if (!source.tags) throw new OciPublishError('UNSUPPORTED', `${source.place} has no list of tags`)
  const tags: Tag[] = []
  const others: string[] = []
  const onOther = (name: string): void => void others.push(name)
  for await (const tag of source.tags({ signal, onOther })) tags.push(tag)
  return { tags, others }
}

/** Nobody can pull them; who reads the list is told of them, and gets the tags. */
function warningsOf(others: readonly string[]): readonly string[] {
  if (others.length === 0) return []
  const shown = others.slice(0, 5).map(quoted).join(', ')
  const more = others.length > 5 ? ` and ${others.length - 5} more` : ''
  return [`warning: left out what is not a tag: ${shown}${more}`]
}

/** @throws {InputError} for what is no repository of a registry, and for more than one */
function parseRepository(text: string): Reference & { readonly kind: 'registry' } {
  const problem = (problem: string, hint?: string): InputError => {
    const found: InputProblem = { input: 'REPOSITORY', problem, hint }
    return new InputError([found])
  }
  let reference: Reference
  try {
    reference = parseReference(text)
  } catch (error) {
    throw problem(messageOf(error))
  }
  if (reference.kind !== 'registry') throw problem(`"${text}" is no repository of a registry`, 'inspect shows a layout')
  const { tag, digest, ...repository } = reference
  if (tag === undefined && digest === undefined) return repository
  throw problem(`"${text}" is one of them already: name the repository alone, ${formatReference(repository)}`)
}
