import type { Pulled, PullRequest } from '../artifact/pull.ts'
import { PULL_LIMITS } from '../artifact/pull-limits.ts'
import { InputError, attemptsInto, type InputProblem } from '../errors.ts'
import { parsePlatform } from '../oci/platform.ts'
import { parseReference } from '../oci/reference.ts'
import { bytesText, countText, durationText } from '../tell/amount.ts'
import { parseByteCount } from './byte-count.ts'
import { runCommand, type CommandParts } from './command.ts'
import type { Flags } from './flags.ts'
import type { Io } from './io.ts'
import { withRegistryOf } from './registry-of.ts'

export interface PullParts<D> extends CommandParts<D> {
  readonly pull: (request: PullRequest, deps: D, options: { signal: AbortSignal }) => Promise<Pulled>
}

/** Writes the files of an artifact into a folder, and tells; gives the exit code. */
export async function pullCommand<D>(text: string, flags: Flags, io: Io, parts: PullParts<D>): Promise<number> {
  const startedAt = performance.now()
  return runCommand(flags, io, parts, {
    complete(values) {
      parse(text, flags)
      return withRegistryOf(text, values)
    },
    async run({ deps, display, quiet }) {
      const pulled = await parts.pull(parse(text, flags), deps, { signal: parts.signal })
      display.end()
      if (!quiet) display.say(pulledLines(pulled, performance.now() - startedAt))
      if (flags['json'] === true) io.stdout.json(reportOf(pulled))
      else io.stdout.lines(pulled.files.map(({ path }) => path))
    },
    stopped: 'what has come of large files is kept; the same command goes on from there',
  })
}

/** @throws {InputError} with every problem */
function parse(text: string, flags: Flags): PullRequest {
  const { output, config, overwrite, platform: typed, maxSize: size, maxFiles: count } = flags
  const problems: InputProblem[] = []
  const attempt = attemptsInto(problems)
  const reference = attempt('REFERENCE', () => parseReference(text))
  const platform = typeof typed === 'string' ? attempt('platform', () => parsePlatform(typed)) : undefined
  const maxBytes = typeof size === 'string' ? attempt('max-size', () => parseByteCount(size)) : PULL_LIMITS.maxBytes
  const maxFiles = typeof count === 'string' ? attempt('max-files', () => parseCount(count)) : PULL_LIMITS.maxFiles
  if (output === '') problems.push({ input: 'output', problem: 'it is empty' })
  if (reference === undefined || maxBytes === undefined || maxFiles === undefined || problems.length > 0)
    throw new InputError(problems)
  return {
    reference,
    platform,
    output: typeof output === 'string' ? output : '.',
    config: typeof config === 'string' ? config : undefined,
    overwrite: overwrite === true,
    limits: { maxBytes, maxFiles },
  }
}

/** @throws {Error} in words */
function parseCount(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new Error(`"${text}" is not a number`)
}

/** Printed by `--json` as it is. */
function reportOf({ place, manifest, artifactType, files, skipped }: Pulled): object {
  return {
    ref: `${place}@${manifest.digest}`,
    digest: manifest.digest,
    mediaType: manifest.mediaType,
    artifactType,
    files: files.map(({ path, descriptor: { digest, mediaType, size }, isDirectory, existed }) => ({
      ...{ path, digest, mediaType, size },
      ...(isDirectory && { directory: true }),
      existed,
    })),
    skipped: skipped.map(({ digest, mediaType, size }) => ({ digest, mediaType, size })),
  }
}

function pulledLines({ place, manifest, files, skipped }: Pulled, ms: number): readonly string[] {
  const bytes = files.reduce((sum, { descriptor }) => sum + descriptor.size, 0)
  const existed = files.filter(one => one.existed).length
  const there = existed === 0 ? '' : `, ${existed} of them there already`
  const without = skipped.length === 0 ? '' : `; ${countText(skipped.length, 'layer')} without a title`
  return [
    `pulled ${place}@${manifest.digest}, in ${durationText(ms)}`,
    `  ${countText(files.length, 'file')}${there}, ${bytesText(bytes)}${without}`,
  ]
}
