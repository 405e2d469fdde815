import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readEntries } from '../publish/entries.ts'
import type { OnPublishEvent } from '../publish/event.ts'
import type { FieldValues } from '../publish/fields.ts'
import type { PublishReport } from '../publish/report.ts'
import { messageOf } from '../errors.ts'
import { durationText } from '../tell/amount.ts'
import { kindText, tagText, trafficText, untaggedText } from '../tell/result.ts'
import { signedTexts } from '../tell/signed.ts'
import { appendSummary, failureSummary, reportSummary } from '../tell/summary.ts'
import { explain } from './explain.ts'
import { inert } from './inert.ts'
import { readInputs, withRefTags } from './inputs.ts'
import { narrate } from './log.ts'
import { writeOutputs } from './outputs.ts'
import type { Runner } from './runner.ts'

/** What the action is made of; `D` is what `publish` needs, which this door only hands on. */
export interface ActionParts<D> {
  readonly publish: (values: FieldValues, deps: D, options: { signal: AbortSignal }) => Promise<PublishReport>
  readonly wire: (wiring: {
    env: NodeJS.ProcessEnv
    values: FieldValues
    onEvent: OnPublishEvent
    onSecret: (secret: string) => void
    defaultLayout: string
    bundleFile: string
  }) => Promise<{
    readonly deps: D
    restoreCache(): Promise<void>
    saveCache(): Promise<void>
    close(): Promise<void>
  }>
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

/** Reads, publishes, tells. Never throws: a failure is told, and makes the exit code of the process 1. */
export async function runAction<D>(runner: Runner, { publish, wire, env, signal }: ActionParts<D>): Promise<void> {
  const startedAt = performance.now()
  const log = narrate(runner)
  let values: FieldValues = {}
  const scratch = join(env['RUNNER_TEMP'] ?? tmpdir(), `oci-publish-${randomUUID().slice(0, 8)}`)
  try {
    values = withRefTags(readInputs(runner), env)
    const wired = await wire({
      env,
      values,
      onEvent: log.onEvent,
      onSecret: secret => {
        runner.setSecret(secret)
      },
      defaultLayout: `${scratch}-layout`,
      bundleFile: `${scratch}-bundles.jsonl`,
    })
    try {
      await wired.restoreCache()
      const report = await publish(values, wired.deps, { signal })
      log.end()
      writeOutputs(runner, report)
      tell(runner, report, performance.now() - startedAt)
      if (wantsSummary(values)) await appendSummary(env, reportSummary(report))
      await saveQuietly(runner, wired)
    } finally {
      await wired.close()
    }
  } catch (error) {
    log.end()
    const failures = explain(runner, error)
    if (wantsSummary(values)) await appendSummary(env, failureSummary(failures))
  }
}

function wantsSummary(values: FieldValues): boolean {
  return readEntries(values).boolean('show-summary', [])
}

/** The publication is done: what cannot be remembered of it costs time in the next run, and no more. */
async function saveQuietly(runner: Runner, cache: { saveCache(): Promise<void> }): Promise<void> {
  try {
    await cache.saveCache()
  } catch (error) {
    runner.warning(`the cache was not saved: ${messageOf(error)}`)
  }
}

function tell(runner: Pick<Runner, 'info' | 'notice'>, report: PublishReport, ms: number): void {
  for (const target of report.targets) {
    runner.info(inert(`${target.place}: ${trafficText(target, report.dryRun)}`))
    for (const step of target.tagSteps ?? []) runner.info(inert(`${target.place}: ${tagText(step)}`))
  }
  for (const ref of report.refs) runner.info(inert(ref))
  runner.info(`${report.digest}, ${kindText(report)}, in ${durationText(ms)}`)
  for (const text of signedTexts(report.signed)) runner.info(inert(text))
  const commands = [...(report.signed?.verifyCommands ?? []), ...(report.chart?.commands ?? [])]
  for (const command of commands) runner.info(inert(command))
  const untagged = untaggedText(report)
  if (untagged !== undefined) runner.notice(untagged)
}
