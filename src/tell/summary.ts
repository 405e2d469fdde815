import { appendFile } from 'node:fs/promises'
import type { FileReport, PlatformReport, PublishReport } from '../publish/report.ts'
import { bytesText } from './amount.ts'
import type { Failure } from './failure.ts'
import { imageBytes, kindText, layersText, tagText, tallyText, untaggedText } from './result.ts'
import { shownWithout, type Shown } from './markdown.ts'
import type { Secrets } from './secrets.ts'
import { signedTexts } from './signed.ts'

/** What was published, as a job summary in GitHub's Markdown. */
export function reportSummary(report: PublishReport, secrets: Secrets): string {
  const code = shownWithout(secrets)
  const { digest, refs, base, platforms, layers, targets, chart, dryRun } = report
  const untagged = untaggedText(report)
  return [
    dryRun ? '### Would publish (dry run)' : '### Published',
    refs.map(ref => `- ${code(ref)}`).join('\n'),
    `${code(digest)}, ${code(kindText(report))}${base ? `, on ${code(base.name)} at ${code(base.digest)}` : ''}`,
    ...(platforms.length === 0 ? [] : [platformTable(platforms, code)]),
    ...(layers ? [fileTable(layers, code)] : []),
    table(
      ['Target', 'Tags', dryRun ? 'To send' : 'Sent', dryRun ? 'To mount' : 'Mounted', 'Already there'],
      targets.map(({ place, tags, tagSteps, sent, mounted, existing }) => [
        code(place),
        (tagSteps?.map(tagText) ?? tags).map(code).join(' ') || 'none',
        ...[sent, mounted, existing].map(tallyText),
      ]),
    ),
    ...signedTexts(report.signed).map(code),
    ...[...(report.signed?.verifyCommands ?? []), ...(chart?.commands ?? [])].map(code),
    ...(untagged === undefined ? [] : [code(untagged)]),
    '',
  ].join('\n\n')
}

function platformTable(platforms: readonly PlatformReport[], code: Shown): string {
  return table(
    ['Platform', 'Digest', 'Size', 'Layers'],
    platforms.map(one => [code(one.platform), code(one.digest), bytesText(imageBytes(one)), layersText(one)]),
  )
}

function fileTable(layers: readonly FileReport[], code: Shown): string {
  return table(
    ['File', 'Digest', 'Size', 'Type'],
    layers.map(one => [code(one.title ?? ''), code(one.digest), bytesText(one.size), code(one.mediaType)]),
  )
}

/** What went wrong, as a job summary. */
export function failureSummary(failures: readonly Failure[], secrets: Secrets): string {
  const code = shownWithout(secrets)
  return ['### Not published', failures.map(one => failureItems(one, code)).join('\n'), ''].join('\n\n')
}

function failureItems({ message, hint, causes, problems }: Failure, code: Shown): string {
  return [
    `- ${code(message)}`,
    ...problems.map(one => `  - ${code(one.input)}: ${code(one.problem)}${one.hint ? ` (${code(one.hint)})` : ''}`),
    ...causes.map(cause => `  - because: ${code(cause)}`),
    ...(hint === undefined ? [] : [`  - **${code(hint)}**`]),
  ].join('\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Appends to the file that the runner shows as the job's summary; where there is none, does nothing. */
export async function appendSummary(env: NodeJS.ProcessEnv, markdown: string): Promise<void> {
  const file = env['GITHUB_STEP_SUMMARY']
  if (file === undefined || file === '') return
  try {
    await appendFile(file, `${markdown}\n`)
  } catch {
    // A summary that cannot be written must not fail a publication that succeeded.
  }
}
