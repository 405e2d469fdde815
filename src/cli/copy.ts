import { namesOf } from '../content/names.ts'
import type { ImageCopy } from '../copy/copy-image.ts'
import type { TagsCopy } from '../copy/copy-tags.ts'
import { parseCopy, type CopyRequest } from '../copy/request.ts'
import { planTags } from '../copy/plan-tags.ts'
import type { TagsRequest } from '../copy/tags-request.ts'
import { referrersTally, targetReport, type TargetReport } from '../copy/target-report.ts'
import { InputError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import { formatReference, parseReference, type Reference } from '../oci/reference.ts'
import { entriesOf } from '../publish/fields.ts'
import { parsePolicies, type VerifyPolicy } from '../sign/policy.ts'
import { durationText } from '../tell/amount.ts'
import { tagText, trafficText } from '../tell/result.ts'
import { runCommand, type CommandParts } from './command.ts'
import { referrerLines, referrerReport, referrersText, type ReferrerReport } from './copied-referrers.ts'
import { textsOf, type Flags } from './flags.ts'
import type { Io } from './io.ts'

export interface CopyOptions {
  readonly signal: AbortSignal
  /** Whom what is copied has to be signed by, one of them; none: nobody. */
  readonly verify: readonly VerifyPolicy[]
}

export interface CopyParts<D> extends CommandParts<D> {
  readonly copy: (request: CopyRequest, deps: D, options: CopyOptions) => Promise<ImageCopy>
  readonly copyTags: (request: TagsRequest, deps: D, options: CopyOptions) => Promise<TagsCopy>
}

/** What happened; printed by `--json` as it is. */
interface CopyReport {
  readonly digest: Digest
  readonly mediaType: string
  readonly size: number
  /** `host/repository[:tag]@digest`. */
  readonly refs: readonly string[]
  /** `host/repository:tag`. */
  readonly tags: readonly string[]
  /** What was copied, and what it stood for: another digest where platforms were left out. */
  readonly from: { readonly name: string; readonly digest: Digest }
  readonly targets: readonly [TargetReport]
  /** With --referrers: what came along. */
  readonly referrers?: readonly ReferrerReport[]
  readonly dryRun: boolean
}

/** Copies from one place to another and tells; gives the exit code. */
export async function copyCommand<D>(
  words: { readonly from: string; readonly to: string },
  flags: Flags,
  io: Io,
  parts: CopyParts<D>,
): Promise<number> {
  const startedAt = performance.now()
  let request: CopyRequest | undefined
  let verify: readonly VerifyPolicy[] = []
  return runCommand(flags, io, parts, {
    complete(values) {
      const platforms = entriesOf({ name: 'platforms', kind: 'list', sentence: '' }, values.platforms)
      refuseFilters(flags)
      verify = policiesIn(flags)
      request = parseCopy({
        ...words,
        platforms,
        referrers: flags['referrers'] === true,
        dryRun: flags['dryRun'] === true,
      })
      // A password without a host is for the only host there is.
      const images = [words.from, words.to].map(parseReference).filter(one => one.kind === 'registry')
      return { ...values, images: images.map(repositoryOf) }
    },
    async run({ deps, display, quiet }) {
      if (!request) throw new TypeError('nothing was asked for') // `complete` throws then
      const copied = await parts.copy(request, deps, { signal: parts.signal, verify })
      const report = reportOf(request, copied)
      display.end()
      if (!quiet) display.say(copyLines(report, copied.referrers, performance.now() - startedAt))
      if (flags['json'] === true) io.stdout.json(report)
      else io.stdout.lines(report.refs)
    },
    stopped: 'the tag moves last, so it does not point at half an image',
  })
}

/** @throws {InputError} */
export function policiesIn(flags: Flags): readonly VerifyPolicy[] {
  const { policies, problems } = parsePolicies(textsOf(flags['verify']), 'verify')
  if (problems.length > 0) throw new InputError(problems)
  return policies
}

/** @throws {InputError} */
function refuseFilters(flags: Flags): void {
  const given = ['include', 'exclude'].filter(input => flags[input] !== undefined)
  if (given.length > 0) throw new InputError(given.map(input => ({ input, problem: 'is for --all-tags only' })))
}

/** `host/repository`. */
export function repositoryOf(reference: Reference & { readonly kind: 'registry' }): string {
  const { kind, host, repository } = reference
  return formatReference({ kind, host, repository })
}

function reportOf(
  { from, to, dryRun }: CopyRequest,
  { found, root, target, referrers, outcome }: ImageCopy,
): CopyReport {
  const { digest, mediaType, size } = root
  const names = namesOf(to)
  return {
    digest,
    mediaType,
    size,
    refs: names.map(({ ref }) => `${ref}@${digest}`),
    tags: names.filter(({ tagged }) => tagged).map(({ ref }) => ref),
    from: { name: formatReference(from), digest: found.digest },
    targets: [
      {
        ...targetReport(target.place, to.tags, withTagSteps(digest, outcome)),
        ...(referrers && { referrers: referrersTally(referrers) }),
      },
    ],
    ...(referrers && { referrers: referrers.map(referrerReport) }),
    dryRun,
  }
}

/** A copy is told to move its tags: what becomes of them follows from where they point. */
function withTagSteps(digest: Digest, outcome: ImageCopy['outcome']): Parameters<typeof targetReport>[2] {
  if (!outcome.steps) return outcome
  return { steps: outcome.steps, tagSteps: planTags(digest, outcome.tagsNow, 'overwrite') }
}

/** What was copied, for a terminal. */
function copyLines(
  { digest, from, targets: [target], dryRun }: CopyReport,
  referrers: ImageCopy['referrers'],
  ms: number,
): readonly string[] {
  const { place, tags, tagSteps = [] } = target
  const names = tags.length === 0 ? ' (without a tag, by digest only)' : ` (${tags.join(', ')})`
  return [
    `${dryRun ? 'would copy' : 'copied'} ${from.name}: ${digest}, in ${durationText(ms)}`,
    `  ${place}${names}: ${trafficText(target, dryRun)}`,
    ...(target.referrers ? [`  ${referrersText(target.referrers, dryRun)}`] : []),
    ...(dryRun && referrers ? referrerLines(referrers).map(line => `    ${line}`) : []),
    ...tagSteps.map(step => `    ${tagText(step)}`),
  ]
}
