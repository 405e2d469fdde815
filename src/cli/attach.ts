import type { Attached, Attachment } from '../artifact/attach.ts'
import type { AttachWords } from '../artifact/attach-request.ts'
import { formatPlatform } from '../oci/platform.ts'
import { entriesOf } from '../publish/fields.ts'
import { countText, durationText } from '../tell/amount.ts'
import { runCommand, type CommandParts } from './command.ts'
import { textsOf, type Flags } from './flags.ts'
import type { Io } from './io.ts'
import { withRegistryOf } from './registry-of.ts'

export interface AttachParts<D> extends CommandParts<D> {
  readonly attach: (words: AttachWords, deps: D, options: { signal: AbortSignal }) => Promise<Attached>
}

/** Attaches files to what is there already, and tells; gives the exit code. */
export async function attachCommand<D>(
  { subject, files }: { readonly subject: string; readonly files: readonly string[] },
  flags: Flags,
  io: Io,
  parts: AttachParts<D>,
): Promise<number> {
  const startedAt = performance.now()
  return runCommand(flags, io, parts, {
    complete: values => withRegistryOf(subject, values),
    tellsProblems: true,
    async run({ deps, display, quiet }) {
      const { artifactType, platforms } = flags
      const words: AttachWords = {
        subject,
        files,
        artifactType: typeof artifactType === 'string' ? artifactType : undefined,
        platforms: entriesOf({ name: 'platforms', kind: 'list', sentence: '' }, textsOf(platforms)),
        annotations: textsOf(flags['annotations']),
        context: '.',
        followLinks: flags['followLinks'] === true,
      }
      const attached = await parts.attach(words, deps, { signal: parts.signal })
      display.end()
      if (!quiet) display.say(attachedLines(attached, performance.now() - startedAt))
      const lines = attached.attachments.map(({ manifest }) => `${attached.place}@${manifest.digest}`)
      if (flags['json'] === true) io.stdout.json(reportOf(attached))
      else io.stdout.lines(lines)
    },
    stopped: 'what was attached until then stays; the same command attaches the rest',
  })
}

/** Printed by `--json` as it is. */
function reportOf({ place, artifactType, attachments }: Attached): object {
  return {
    artifactType,
    attachments: attachments.map(({ subject, platform, manifest, existed }) => ({
      ref: `${place}@${manifest.digest}`,
      digest: manifest.digest,
      mediaType: manifest.mediaType,
      size: manifest.size,
      subject: subject.digest,
      ...(platform && { platform: formatPlatform(platform) }),
      existed,
    })),
  }
}

function attachedLines({ place, artifactType, attachments }: Attached, ms: number): readonly string[] {
  const added = attachments.filter(({ existed }) => !existed).length
  const what =
    added === 0
      ? `nothing to add: ${place} has it all`
      : `attached ${artifactType} to ${countText(added, 'manifest')} of ${place}`
  return [`${what}, in ${durationText(ms)}`, ...attachments.map(lineOf)]
}

function lineOf({ subject, platform, manifest, existed }: Attachment): string {
  const to = platform ? `${formatPlatform(platform)} ${subject.digest}` : subject.digest
  return `  ${to}: ${manifest.digest}${existed ? ' (was there)' : ''}`
}
