import { writeFile } from 'node:fs/promises'
import type { Attachment } from '../artifact/attach.ts'
import type { Sbom, SbomOptions } from '../artifact/sbom/generate-sbom.ts'
import { InputError, attemptsInto, type InputProblem } from '../errors.ts'
import { formatPlatform, parsePlatform, type Platform } from '../oci/platform.ts'
import { parseReference, type Reference } from '../oci/reference.ts'
import { countText } from '../tell/amount.ts'
import { runCommand, type CommandParts } from './command.ts'
import type { Flags } from './flags.ts'
import type { Io } from './io.ts'
import { withRegistryOf } from './registry-of.ts'

export interface SbomParts<D> extends CommandParts<D> {
  readonly generateSbom: (reference: Reference, deps: D, options: SbomOptions) => Promise<Sbom>
  readonly attachSboms: (
    reference: Reference,
    deps: D,
    options: SbomOptions,
  ) => Promise<{ readonly place: string; readonly attachments: readonly Attachment[] }>
  readonly version: string
}

/** Tells what is in an image, on standard output or in a file, or attaches it to the image; gives the exit code. */
export async function sbomCommand<D>(text: string, flags: Flags, io: Io, parts: SbomParts<D>): Promise<number> {
  return runCommand(flags, io, parts, {
    complete(values) {
      parseAsked(text, flags)
      return withRegistryOf(text, values)
    },
    async run({ deps, display, quiet }) {
      const { reference, platform, output } = parseAsked(text, flags)
      const options = { platform, toolVersion: parts.version, signal: parts.signal }
      if (flags['attach'] === true) {
        const { place, attachments } = await parts.attachSboms(reference, deps, options)
        display.end()
        if (!quiet) display.say(attachments.map(lineOf))
        const refs = attachments.map(({ manifest }) => `${place}@${manifest.digest}`)
        io.stdout.lines(refs)
        return
      }
      const sbom = await parts.generateSbom(reference, deps, options)
      if (output !== undefined) await writeFile(output, sbom.bytes)
      display.end()
      if (!quiet) display.say([`${countText(sbom.packages, 'package')} in ${sbom.subject.digest}`])
      if (output === undefined) io.stdout.document(sbom.bytes)
    },
    stopped: 'what was attached until then stays; the same command attaches the rest',
  })
}

interface Asked {
  readonly reference: Reference
  readonly platform: Platform | undefined
  readonly output: string | undefined
}

/** @throws {InputError} with every problem */
function parseAsked(text: string, flags: Flags): Asked {
  const problems: InputProblem[] = []
  const attempt = attemptsInto(problems)
  const reference = attempt('REFERENCE', () => parseReference(text))
  const given = flags['platform']
  const platform = typeof given === 'string' ? attempt('platform', () => parsePlatform(given)) : undefined
  const output = typeof flags['output'] === 'string' ? flags['output'] : undefined
  if (output !== undefined && flags['attach'] === true) {
    problems.push({ input: 'output', problem: 'cannot be had together with --attach, which writes no file' })
  }
  if (reference === undefined || problems.length > 0) throw new InputError(problems)
  return { reference, platform, output }
}

function lineOf({ subject, platform, manifest, existed }: Attachment): string {
  const to = platform ? `${formatPlatform(platform)} ${subject.digest}` : subject.digest
  return `SBOM of ${to}: ${manifest.digest}${existed ? ' (was there)' : ''}`
}
