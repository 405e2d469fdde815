import type { PublishReport } from '../publish/report.ts'
import { bytesText, durationText } from '../tell/amount.ts'
import { imageBytes, kindText, layersText, tagText, trafficText, untaggedText } from '../tell/result.ts'
import { signedTexts } from '../tell/signed.ts'
import { shortDigest } from '../oci/digest.ts'

/** What was published, for a terminal. */
export function resultLines(report: PublishReport, ms: number): readonly string[] {
  const { digest, base, platforms, layers = [], attached = [], targets, chart, dryRun } = report
  const width = Math.max(0, ...platforms.map(({ platform }) => platform.length))
  const untagged = untaggedText(report)
  return [
    `${dryRun ? 'would publish' : 'published'} ${digest}, ${kindText(report)}, in ${durationText(ms)}`,
    ...(base ? [`  on ${base.name} at ${base.digest}`] : []),
    ...platforms.map(
      one =>
        `  ${one.platform.padEnd(width)}  ${shortDigest(one.digest)}  ${bytesText(imageBytes(one)).padStart(6)}  ${layersText(one)}`,
    ),
    ...layers.map(
      ({ title = '', digest, size, mediaType }) =>
        `  ${shortDigest(digest)}  ${bytesText(size).padStart(6)}  ${title === '' ? '' : `${title} `}(${mediaType})`,
    ),
    ...targets.flatMap(target => {
      const names = target.tags.length === 0 ? '' : ` (${target.tags.join(', ')})`
      const steps = target.tagSteps ?? []
      return [`  ${target.place}${names}: ${trafficText(target, dryRun)}`, ...steps.map(one => `    ${tagText(one)}`)]
    }),
    ...attached.map(
      ({ artifactType, platform = '', ref }) =>
        `  attached ${artifactType} to ${platform === '' ? 'it' : platform}: ${ref}`,
    ),
    ...signedTexts(report.signed).map(text => `  ${text}`),
    ...(report.signed?.verifyCommands ?? []).map(command => `  ${command}`),
    ...(dryRun ? [] : (chart?.commands ?? [])).map(command => `  ${command}`),
    ...(untagged === undefined ? [] : [`  ${untagged}`]),
  ]
}
