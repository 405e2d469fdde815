import { appendFile } from 'node:fs/promises'
import type { FileReport, PlatformReport, PublishReport } from '../publish/report.ts'
import { bytesText } from './amount.ts'
import type { Failure } from './failure.ts'
import { imageBytes, kindText, layersText, tagText, tallyText, untaggedText } from './result.ts'
import { signedTexts } from './signed.ts'

/** What was published, as a job summary in GitHub's Markdown. */
export function reportSummary(report: PublishReport): string {
  const { digest, refs, base, platforms, layers, targets, chart, dryRun } = report
  const untagged = untaggedText(report)
  return [
    dryRun ? '### Would publish (dry run)' : '### Published',
    refs.map(ref => `- ${code(ref)}`).join('\n'),
    `${code(digest)}, ${kindText(report)}${base ? `, on ${code(base.name)} at ${code(base.digest)}` : ''}`,
    ...(platforms.length === 0 ? [] : [platformTable(platforms)]),
    ...(layers ? [fileTable(layers)] : []),
    table(
      ['Target', 'Tags', dryRun ? 'To send' : 'Sent', dryRun ? 'To mount' : 'Mounted', 'Already there'],
      targets.map(({ place, tags, tagSteps, sent, mounted, existing }) => [
        code(place),
        (tagSteps?.map(tagText) ?? tags).map(code).join(' ') || 'none',
        ...[sent, mounted, existing].map(tallyText),
      ]),
    ),
    ...signedTexts(report.signed).map(escape),
    ...[...(report.signed?.verifyCommands ?? []), ...(chart?.commands ?? [])].map(code),
    ...(untagged === undefined ? [] : [escape(untagged)]),
    '',
  ].join('\n\n')
}

function platformTable(platforms: readonly PlatformReport[]): string {
  return table(
    ['Platform', 'Digest', 'Size', 'Layers'],
    platforms.map(one => [one.platform, code(one.digest), bytesText(imageBytes(one)), layersText(one)]),
  )
}

function fileTable(layers: readonly FileReport[]): string {
  return table(
    ['File', 'Digest', 'Size', 'Type'],
    layers.map(one => [code(one.title ?? ''), code(one.digest), bytesText(one.size), code(one.mediaType)]),
  )
}

/** What went wrong, as a job summary. */
export function failureSummary(failures: readonly Failure[]): string {
  return ['### Not published', failures.map(failureItems).join('\n'), ''].join('\n\n')
}

function failureItems({ message, hint, causes, problems }: Failure): string {
  return [
    `- ${escape(message)}`,
    ...problems.map(one => `  - ${code(one.input)}: ${escape(one.problem)}${one.hint ? ` (${escape(one.hint)})` : ''}`),
    ...causes.map(cause => `  - because: ${escape(cause)}`),
    ...(hint === undefined ? [] : [`  - **${escape(hint)}**`]),
  ].join('\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** As HTML, because a backtick or a bar in the text would end Markdown's own code and cells. */
function code(text: string): string {
  return `<code>${escape(text)}</code>`
}

function escape(text: string): string {
  return text.replace(/[&<>|*_`[\]\\~@#]/g, char => `&#${char.charCodeAt(0)};`)
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
