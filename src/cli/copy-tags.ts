import type { ImageCopy } from '../copy/copy-image.ts'
import type { TagsCopy } from '../copy/copy-tags.ts'
import { mergedResult, mergedSteps } from '../copy/merged.ts'
import { namesOf } from '../content/names.ts'
import { planTags } from '../copy/plan-tags.ts'
import { referrersTally, targetReport, type TargetReport } from '../copy/target-report.ts'
import { parseCopyTags, type TagsRequest } from '../copy/tags-request.ts'
import { OciPublishError, messageOf } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import { formatReference } from '../oci/reference.ts'
import { entriesOf } from '../publish/fields.ts'
import { countText, durationText } from '../tell/amount.ts'
import { tagText, trafficText } from '../tell/result.ts'
import { runCommand } from './command.ts'
import { referrerLines, referrerReport, referrersText, type ReferrerReport } from './copied-referrers.ts'
import { policiesIn, repositoryOf, type CopyOptions, type CopyParts } from './copy.ts'
import type { Flags } from './flags.ts'
import type { Io } from './io.ts'

/** What happened; printed by `--json` as it is. */
interface TagsReport {
  /** `host/repository` that was copied. */
  readonly from: string
  readonly images: readonly ImageReport[]
  /** Tags that were not copied. */
  readonly failures: readonly { readonly tag: string; readonly message: string }[]
  readonly targets: readonly [TargetReport]
  readonly dryRun: boolean
}

interface ImageReport {
  readonly tag: string
  readonly digest: Digest
  readonly mediaType: string
  readonly size: number
  /** `host/repository:tag@digest`. */
  readonly ref: string
  /** What the tag stands for there: another digest where platforms were left out. */
  readonly from: { readonly digest: Digest }
  /** With --referrers: what came along. */
  readonly referrers?: readonly ReferrerReport[]
}

/** Copies every tag of a repository and tells; gives the exit code. */
export async function copyTagsCommand<D>(
  words: { readonly from: string; readonly to: string },
  flags: Flags,
  io: Io,
  parts: CopyParts<D>,
): Promise<number> {
  const startedAt = performance.now()
  let request: TagsRequest | undefined
  let verify: CopyOptions['verify'] = []
  return runCommand(flags, io, parts, {
    complete(values) {
      const list = (name: string, typed: unknown): readonly string[] =>
        entriesOf({ name, kind: 'list', sentence: '' }, typeof typed === 'string' ? typed : undefined)
      request = parseCopyTags({
        ...words,
        include: list('include', flags['include']),
        exclude: list('exclude', flags['exclude']),
        platforms: entriesOf({ name: 'platforms', kind: 'list', sentence: '' }, values.platforms),
        referrers: flags['referrers'] === true,
        dryRun: flags['dryRun'] === true,
      })
      verify = policiesIn(flags)
      const { from, to } = request
      // A password without a host is for the only host there is.
      const places = [from, ...(to.kind === 'registry' ? [to.image] : [])].filter(one => one.kind === 'registry')
      return { ...values, images: places.map(repositoryOf) }
    },
    async run({ deps, display, quiet }) {
      if (!request) throw new TypeError('nothing was asked for') // `complete` throws then
      const copied = await parts.copyTags(request, deps, { signal: parts.signal, verify })
      const report = reportOf(request, copied)
      display.end()
      if (!quiet) display.say(linesOf(report, copied, performance.now() - startedAt))
      if (flags['json'] === true) io.stdout.json(report)
      else io.stdout.lines(report.images.map(({ ref }) => ref))
      const errors = copied.failures.flatMap(({ tag, error }) => failuresOf(`${report.from}:${tag}`, error))
      if (errors.length > 0) throw new AggregateError(errors, 'not every tag was copied')
    },
    stopped: 'tags move last, so none points at half an image',
  })
}

/** In the words of what failed, each with the tag. */
function failuresOf(name: string, error: unknown): readonly OciPublishError[] {
  const all: readonly unknown[] = error instanceof AggregateError ? error.errors : [error]
  return all.map(cause => {
    const hint = cause instanceof OciPublishError ? cause.hint : undefined
    return new OciPublishError('NOT_COPIED', `${name} was not copied: ${messageOf(cause)}`, { cause, hint })
  })
}

function reportOf(
  { from, to, referrers: along, dryRun }: TagsRequest,
  { target, copies, failures }: TagsCopy,
): TagsReport {
  const tags = copies.map(({ tag }) => tag)
  const all = copies.flatMap(({ copy }) => copy.referrers ?? [])
  return {
    from: formatReference(from),
    images: copies.map(({ tag, copy: { root, found, referrers } }) => {
      const { digest, mediaType, size } = root
      const [name] = namesOf({ ...to, tags: [tag] })
      return {
        ...{ tag, digest, mediaType, size, ref: `${name?.ref ?? tag}@${digest}`, from: { digest: found.digest } },
        ...(referrers && { referrers: referrers.map(referrerReport) }),
      }
    }),
    failures: failures.map(({ tag, error }) => ({ tag, message: messageOf(error) })),
    targets: [
      {
        ...targetReport(target.place, tags, together(copies.map(({ copy }) => copy))),
        ...(along && { referrers: referrersTally(all) }),
      },
    ],
    dryRun,
  }
}

/** What several images have in common counts once. */
function together(copies: readonly ImageCopy[]): Parameters<typeof targetReport>[2] {
  const planned = copies.flatMap(({ root, outcome }) => (outcome.steps ? [{ root, outcome }] : []))
  if (planned.length > 0) {
    const steps = mergedSteps(planned.map(({ outcome }) => outcome.steps))
    const tagSteps = planned.flatMap(({ root, outcome }) => planTags(root.digest, outcome.tagsNow, 'overwrite'))
    return { steps, tagSteps }
  }
  return { result: mergedResult(copies.flatMap(({ outcome }) => (outcome.steps ? [] : [outcome.result]))) }
}

/** What was copied, for a terminal. */
function linesOf(
  { from, images, failures, targets, dryRun }: TagsReport,
  { copies }: TagsCopy,
  ms: number,
): readonly string[] {
  const [target] = targets
  const not = failures.length === 0 ? '' : `, ${countText(failures.length, 'tag')} not`
  return [
    `${dryRun ? 'would copy' : 'copied'} ${countText(images.length, 'tag')} of ${from}${not}, in ${durationText(ms)}`,
    `  ${target.place}: ${trafficText(target, dryRun)}`,
    ...(target.referrers ? [`  ${referrersText(target.referrers, dryRun)}`] : []),
    ...(dryRun ? referrerLines(copies.flatMap(({ copy }) => copy.referrers ?? [])).map(line => `    ${line}`) : []),
    ...(target.tagSteps?.map(step => `    ${tagText(step)}`) ??
      images.map(({ tag, digest }) => `    ${tag} ${digest}`)),
  ]
}
