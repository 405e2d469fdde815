import { limit } from '../async/limit.ts'
import type { Source, Target } from '../content/ports.ts'
import { describedAs } from '../content/blob.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { attachedTagStep, type AttachedTagStep } from './attached-tag-step.ts'
import { copyGraph, type CopyOptions, type CopyResult } from './copy.ts'
import type { Attached } from './find-referrers.ts'
import { mergedResult, mergedSteps } from './merged.ts'
import { planCopy, type CopyStep } from './plan.ts'
import { settle } from './settle.ts'
import { blobsOf, CONCURRENCY } from './walk.ts'

/** What came along, or would. */
export interface CopiedReferrer {
  /** What it hangs on. */
  readonly subject: Digest
  /** With its type and annotations. */
  readonly descriptor: Descriptor
  /** One of cosign's, under which it is found. */
  readonly tag: string | undefined
  /** Whether the target had it already; under a tag, all that it holds. */
  readonly existed: boolean
}

/**
 * Copies referrers with all they consist of, and moves cosign's tags. Whoever looks at the target for what hangs on a
 * manifest finds it when this is done and the target is closed.
 *
 * @throws {OciPublishError} TAG_EXISTS
 * @throws the failure of one, or an AggregateError of all
 */
export async function copyReferrers(
  all: readonly Attached[],
  source: Source,
  target: Target,
  options: CopyOptions,
): Promise<{ readonly referrers: readonly CopiedReferrer[]; readonly result: CopyResult }> {
  const contentOf = blobsOf(source)
  const { signal } = options
  const done = await inTurn(all, signal, async ({ descriptor, tag }) => {
    const step = await tagStep(source, descriptor, target, tag, options)
    if (step === 'keep' || step === 'leave') return thereAlready(descriptor)
    // Asked about everything, since a push of a manifest that is there still sees to it that it is listed.
    const result = await copyGraph(contentOf, descriptor, target, { ...options, shallow: false, verify: true })
    const blob = describedAs(contentOf(descriptor), entryOf(descriptor, tag))
    await target.tag(blob, tag === undefined ? [] : [tag], { signal }) // without a tag too: a layout lists what it holds
    return result
  })
  const result = mergedResult(done.map(({ outcome }) => outcome))
  const existing = new Set(result.existing.descriptors.map(({ digest }) => digest))
  const referrers = done.map(({ one }) => copied(one, existing.has(one.descriptor.digest)))
  return { referrers, result }
}

/**
 * What `copyReferrers` does with the same arguments. The target is only read.
 *
 * @throws {OciPublishError} TAG_EXISTS
 */
export async function planReferrers(
  all: readonly Attached[],
  source: Source,
  target: Target,
  options: CopyOptions,
): Promise<{ readonly referrers: readonly CopiedReferrer[]; readonly steps: readonly CopyStep[] }> {
  const planned = await inTurn(all, options.signal, async ({ descriptor, tag }): Promise<readonly CopyStep[]> => {
    const step = await tagStep(source, descriptor, target, tag, options)
    if (step === 'keep' || step === 'leave') return [{ do: 'keep', descriptor, bytes: 0 }]
    return planCopy(blobsOf(source), descriptor, target, options)
  })
  const steps = mergedSteps(planned.map(({ outcome }) => outcome))
  const kept = new Set(steps.flatMap(step => (step.do === 'keep' ? [step.descriptor.digest] : [])))
  return { referrers: planned.map(({ one }) => copied(one, kept.has(one.descriptor.digest))), steps }
}

interface Done<T> {
  readonly one: Attached
  readonly outcome: T
}

/** Runs `work` for each and, where it succeeded, for what hangs on that: not every registry takes what refers to nothing. */
async function inTurn<T>(
  all: readonly Attached[],
  signal: AbortSignal | undefined,
  work: (one: Attached) => Promise<T>,
): Promise<readonly Done<T>[]> {
  const slot = limit(CONCURRENCY)
  const each = async (some: readonly Attached[]): Promise<readonly Done<T>[]> => {
    const done = await settle(
      some.map(async one => {
        const outcome = await slot(() => {
          signal?.throwIfAborted()
          return work(one)
        })
        return [{ one, outcome }, ...(await each(one.attached))]
      }),
      signal,
    )
    return done.flat()
  }
  return each(all)
}

async function tagStep(
  source: Source,
  wanted: Descriptor,
  target: Target,
  tag: string | undefined,
  { signal }: CopyOptions,
): Promise<AttachedTagStep | undefined> {
  return tag === undefined ? undefined : attachedTagStep(source, wanted, target, tag, { signal })
}

function thereAlready(descriptor: Descriptor): CopyResult {
  const none = { descriptors: [], bytes: 0 }
  return { sent: none, mounted: none, existing: { descriptors: [descriptor], bytes: descriptor.size } }
}

/** As a layout lists it: by its type it is told from images. What has a tag is told by that. */
function entryOf({ mediaType, digest, size, artifactType }: Descriptor, tag: string | undefined): Descriptor {
  return { mediaType, digest, size, ...(artifactType !== undefined && tag === undefined && { artifactType }) }
}

function copied({ subject, descriptor, tag }: Attached, existed: boolean): CopiedReferrer {
  return { subject, descriptor, tag, existed }
}
