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
import { Edge } from './edge.ts'
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
  const edge = new Edge(runner)
  const log = narrate(edge)
  let values: FieldValues = {}
  const scratch = join(env['RUNNER_TEMP'] ?? tmpdir(), `oci-publish-${randomUUID().slice(0, 8)}`)
  try {
    values = withRefTags(readInputs(edge), env)
    const wired = await wire({
      env,
      values,
      onEvent: log.onEvent,
      onSecret: secret => {
        edge.hide(secret)
      },
      defaultLayout: `${scratch}-layout`,
      bundleFile: `${scratch}-bundles.jsonl`,
    })
    try {
      await wired.restoreCache()
      const report = await publish(values, wired.deps, { signal })
      log.end()
      writeOutputs(edge, report)
      tell(edge, report, performance.now() - startedAt)
      if (wantsSummary(values)) await appendSummary(env, reportSummary(report, edge.secrets))
      await saveQuietly(edge, wired)
    } finally {
      await wired.close()
    }
  } catch (error) {
    log.end()
    const failures = explain(edge, error)
    if (wantsSummary(values)) await appendSummary(env, failureSummary(failures, edge.secrets))
  }
}

function wantsSummary(values: FieldValues): boolean {
  return readEntries(values).boolean('show-summary', [])
}

/** The publication is done: what cannot be remembered of it costs time in the next run, and no more. */
async function saveQuietly(edge: Edge, cache: { saveCache(): Promise<void> }): Promise<void> {
  try {
    await cache.saveCache()
  } catch (error) {
    edge.warning(`the cache was not saved: ${messageOf(error)}`)
  }
}

function tell(edge: Edge, report: PublishReport, ms: number): void {
  for (const target of report.targets) {
    edge.info(`${target.place}: ${trafficText(target, report.dryRun)}`)
    for (const step of target.tagSteps ?? []) edge.info(`${target.place}: ${tagText(step)}`)
  }
  for (const ref of report.refs) edge.info(ref)
  edge.info(`${report.digest}, ${kindText(report)}, in ${durationText(ms)}`)
  for (const text of signedTexts(report.signed)) edge.info(text)
  const commands = [...(report.signed?.verifyCommands ?? []), ...(report.chart?.commands ?? [])]
  for (const command of commands) edge.info(command)
  const untagged = untaggedText(report)
  if (untagged !== undefined) edge.notice(untagged)
}
