import { resultLines } from '../../src/cli/result-lines.ts'
import type { TagReport } from '../../src/copy/target-report.ts'
import { tagText } from '../../src/tell/result.ts'
import { Secrets } from '../../src/tell/secrets.ts'
import { reportSummary } from '../../src/tell/summary.ts'
import { shortDigest } from '../../src/oci/digest.ts'
import { sampleDigest, sampleReport } from './sample-report.ts'

const from = sampleDigest('before')

test.each<[TagReport, string]>([
  [{ tag: 'v1', do: 'create' }, 'v1 would be new'],
  [{ tag: 'v1', do: 'move', from }, `v1 would move from ${shortDigest(from)}`],
  [{ tag: 'v1', do: 'keep' }, 'v1 is there already'],
  [{ tag: 'v1', do: 'leave', from }, `v1 would stay at ${shortDigest(from)}`],
])('%j reads as %s', (step, text) => {
  expect(tagText(step)).toBe(text)
})

test('a dry run says on the terminal and in the summary what becomes of each tag', () => {
  const tagSteps: readonly TagReport[] = [
    { tag: 'v1', do: 'move', from },
    { tag: 'latest', do: 'create' },
  ]
  const report = sampleReport({ dryRun: true })
  const dry = { ...report, targets: report.targets.map(target => ({ ...target, tagSteps })) }
  expect(resultLines(dry, 0).join('\n')).toContain(
    `\n    v1 would move from ${shortDigest(from)}\n    latest would be new\n`,
  )
  expect(reportSummary(dry, new Secrets())).toContain('would move from')
  expect(reportSummary(dry, new Secrets())).toContain('`latest would be new`')
})
