import type { FieldValues } from '../publish/fields.ts'
import type { PublishReport } from '../publish/report.ts'
import { appendSummary, failureSummary, reportSummary } from '../tell/summary.ts'
import { readEntries } from '../publish/entries.ts'
import { runCommand } from './command.ts'
import { withoutIdle } from './ambient.ts'
import type { AttachParts } from './attach.ts'
import type { CopyParts } from './copy.ts'
import type { DiscoverParts } from './discover.ts'
import type { Flags } from './flags.ts'
import type { InspectParts } from './inspect.ts'
import type { Io } from './io.ts'
import type { PullParts } from './pull.ts'
import { resultLines } from './result-lines.ts'
import type { SbomParts } from './sbom.ts'
import type { SignParts } from './sign.ts'
import type { VerifyParts } from './verify.ts'

/** What the command line is made of. */
export interface CliParts<D>
  extends
    CopyParts<D>,
    InspectParts<D>,
    AttachParts<D>,
    DiscoverParts<D>,
    PullParts<D>,
    SbomParts<D>,
    SignParts<D>,
    VerifyParts<D> {
  readonly publish: (values: FieldValues, deps: D, options: { signal: AbortSignal }) => Promise<PublishReport>
  readonly version: string
}

/** Publishes and tells; gives the exit code. */
export async function publishCommand<D>(flags: Flags, io: Io, parts: CliParts<D>): Promise<number> {
  const { publish, env, signal } = parts
  const startedAt = performance.now()
  return runCommand(flags, io, parts, {
    async run({ values, deps, display, quiet }) {
      const report = await publish(values, deps, { signal })
      display.end()
      if (!quiet) display.say(resultLines(report, performance.now() - startedAt))
      if (flags['json'] === true) io.stdout.json(report)
      else io.stdout.lines(report.refs)
      if (wantsSummary(values)) await appendSummary(env, reportSummary(report, io.secrets))
    },
    complete: withoutIdle,
    tellsProblems: true,
    stopped: 'tags move last, so none points at half an image',
    async onFailure(failures, values) {
      if (wantsSummary(values)) await appendSummary(env, failureSummary(failures, io.secrets))
    },
  })
}

/** In a workflow the command line leaves a summary as the action does. */
function wantsSummary(values: FieldValues): boolean {
  return readEntries(values).boolean('show-summary', [])
}
