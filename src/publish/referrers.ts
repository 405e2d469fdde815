import type { Abortable } from '../async/abortable.ts'
import type { BeforeTags } from '../content/untagged.ts'
import { InputError, type InputProblem } from '../errors.ts'
import {
  attachEverywhere,
  attachmentsOf,
  readyAttachments,
  type Attachments,
  type ReadyAttachments,
} from './attachments.ts'
import type { PublishDeps } from './deps.ts'
import { readEntries } from './entries.ts'
import type { FieldValues } from './fields.ts'
import { idleSigning, parseSigning, type ParsedSigning, type SignWith } from './parse-signing.ts'
import type { IsSigned } from './previous.ts'
import type { AttachedReport, PublishReport } from './report.ts'
import type { Signing } from './signing.ts'

/** What is to refer to a publication: attached files, SBOMs, attestations, signatures. */
export interface ReferrerWords {
  readonly attachments: Attachments
  readonly signing: ParsedSigning
  /** What is wrong with them, as far as can be seen without looking at files. */
  readonly problems: readonly InputProblem[]
}

export function parseReferrers(values: FieldValues): ReferrerWords {
  const attachments = attachmentsOf(values)
  const signing = parseSigning(values)
  return { attachments, signing, problems: [...attachments.problems, ...signing.problems, ...idleSigning(values)] }
}

/**
 * Looks at files to attach, keys and predicates, of a request that is wrong in any case: nobody is asked for anything.
 *
 * @throws {InputError} with everything that is wrong with them
 */
export async function lookAtReferrers(
  words: ReferrerWords,
  values: FieldValues,
  deps: PublishDeps,
  io: Abortable,
): Promise<void> {
  const { request } = words.signing
  // Where a job has no identity, that is found without asking.
  const hasIdentity = deps.signing.env['ACTIONS_ID_TOKEN_REQUEST_URL'] !== undefined
  const isLocal = (way: SignWith): boolean => way === 'key' || (way === 'keyless' && !hasIdentity)
  const local = request && { ...request, with: request.with.filter(isLocal) }
  const signing = { request: local, problems: [], notices: [] }
  await readyReferrers({ ...words, signing }, values, deps, io)
}

/** Puts beside a publication what refers to it, before its tags move. */
export interface Referrers {
  readonly beforeTags: BeforeTags
  /** Whether the signer of this run has signed a manifest; undefined where nothing is signed. */
  readonly isSigned: IsSigned | undefined
  readonly report: () => Pick<PublishReport, 'attached' | 'signed'>
}

/**
 * Reads files, keys and predicates, and looks for whoever certifies.
 *
 * @throws {InputError} with everything that is wrong with them
 */
export async function readyReferrers(
  { attachments, signing: parsed }: ReferrerWords,
  values: FieldValues,
  deps: PublishDeps,
  io: Abortable,
): Promise<Referrers> {
  const [files, signing] = await Promise.allSettled([
    readyAttachments(attachments, deps, io),
    readySigningOf(parsed, values, deps, io),
  ])
  io.signal?.throwIfAborted()
  if (files.status === 'rejected' || signing.status === 'rejected') throw together([files, signing])
  return referrersOf(files.value, signing.value, deps, attachments.files.length > 0 || attachments.sbom)
}

async function readySigningOf(
  { request, problems, notices }: ParsedSigning,
  values: FieldValues,
  deps: PublishDeps,
  io: Abortable,
): Promise<Signing | undefined> {
  if (problems.length > 0) throw new InputError(problems)
  if (!request) return undefined
  for (const text of notices) deps.onEvent({ type: 'notice', text })
  const entries = readEntries(values)
  if (!entries.boolean('push', []) && entries.of('outputs').length === 0) {
    deps.onEvent({ type: 'notice', text: 'nothing is pushed, so nothing is signed' })
    return undefined
  }
  const { readySigning } = await import('./signing.ts') // most runs of a pull request sign nothing
  return readySigning(request, { values, signature: true }, deps, io)
}

/** Of several failures all problems of the request, if they are such, else the first. */
function together(results: readonly PromiseSettledResult<unknown>[]): unknown {
  const reasons = results.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []))
  const other = reasons.find(reason => !(reason instanceof InputError))
  if (other !== undefined) return other
  return new InputError(reasons.flatMap(reason => (reason instanceof InputError ? reason.problems : [])))
}

function referrersOf(
  files: ReadyAttachments,
  signing: Signing | undefined,
  deps: PublishDeps,
  attaches: boolean,
): Referrers {
  const attached: AttachedReport[] = []
  return {
    async beforeTags(untagged, io) {
      const made = await attachEverywhere(files, untagged, deps, io)
      attached.push(...made.attached)
      await signing?.sign(untagged, made.sboms, io)
      // A registry that keeps no list is told what refers to what, before anybody looks there by a tag.
      for (const { target, output } of untagged.places) if (output.kind === 'registry') await target.close?.(io)
    },
    isSigned: signing?.isSigned,
    report: () => ({ ...(attaches && { attached }), ...(signing && { signed: signing.report() }) }),
  }
}
