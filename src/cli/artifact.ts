import { parseReference } from '../oci/reference.ts'
import { InputError, attemptsInto, type InputProblem } from '../errors.ts'
import type { FieldName, FieldValues } from '../publish/fields.ts'
import { appendSummary, reportSummary } from '../tell/summary.ts'
import { withoutIdle } from './ambient.ts'
import { runCommand } from './command.ts'
import type { Flags } from './flags.ts'
import type { Io } from './io.ts'
import type { CliParts } from './publish.ts'
import { resultLines } from './result-lines.ts'

/** What is pushed, and where to, as it was typed. */
export interface ArtifactPushWords {
  readonly to: string
  readonly files: readonly string[]
}

/** Publishes files as an artifact and tells; gives the exit code. */
export async function artifactPushCommand<D>(
  { to, files }: ArtifactPushWords,
  flags: Flags,
  io: Io,
  parts: CliParts<D>,
): Promise<number> {
  const { publish, env, signal } = parts
  const startedAt = performance.now()
  return runCommand(flags, io, parts, {
    complete: (values, problems) =>
      withoutIdle({ ...values, ...ofFlags(flags), ...placeOf(to, values, problems), files }),
    tellsProblems: true,
    async run({ values, deps, display, quiet }) {
      const report = await publish(values, deps, { signal }).catch(inFlags)
      display.end()
      if (!quiet) display.say(resultLines(report, performance.now() - startedAt))
      if (flags['json'] === true) io.stdout.json(report)
      else io.stdout.lines(report.refs)
      await appendSummary(env, reportSummary(report, io.secrets))
    },
    stopped: 'the tag moves last, so it does not point at half an artifact',
  })
}

/** Flags of this command that are shorter than the inputs they stand for. */
const SHORT = {
  type: 'artifact-preset',
  config: 'artifact-config',
  model: 'artifact-model',
} as const satisfies Record<string, FieldName>

function ofFlags(flags: Flags): FieldValues {
  const given = Object.entries(SHORT).filter(([flag]) => flags[flag] !== undefined)
  return Object.fromEntries(given.map(([flag, name]) => [name, flags[flag]]))
}

/** What is an argument here. */
const ARGUMENTS = [
  ['files', 'FILES'],
  ['images', 'TO'],
] as const

/** Problems in the words of this command. */
function inFlags(error: unknown): never {
  if (!(error instanceof InputError)) throw error
  const flags = Object.entries(SHORT).map(([flag, name]) => [name, flag] as const)
  const words = new Map<string, string>([...flags, ...ARGUMENTS])
  throw new InputError(error.problems.map(one => ({ ...one, input: words.get(one.input) ?? one.input })))
}

function placeOf(to: string, { tags = [] }: FieldValues, problems: InputProblem[]): FieldValues {
  const reference = attemptsInto(problems)('TO', () => parseReference(to))
  if (!reference) return { images: [], push: 'false', tags } // nowhere, so that this is told once
  if (reference.kind === 'registry') return { images: [to], tags }
  const { kind, path, name } = reference
  return {
    images: [],
    outputs: [`type=oci,dest=${path}${kind === 'oci-archive' ? ',tar' : ''}`],
    push: 'false',
    tags: [...[tags].flat(), ...(name === undefined ? [] : [name])],
  }
}
