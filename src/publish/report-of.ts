import type { Output } from '../content/places.ts'
import type { CopyResult, Part } from '../copy/copy.ts'
import type { CopyStep } from '../copy/plan.ts'
import { formatPlatform } from '../oci/platform.ts'
import { formatReference } from '../oci/reference.ts'
import type { Image } from '../image/image.ts'
import type { Built } from './build.ts'
import type { TagStep } from './plan-tags.ts'
import type { Prepared, PreparedTarget } from './prepare.ts'
import type { PlatformReport, PublishReport, TagReport, Tally, TargetReport } from './report.ts'

/** Puts together what is told of a publication. */
export function reportOf(prepared: Prepared, built: Built, targets: readonly TargetReport[]): PublishReport {
  const { request, base } = prepared
  const { digest, mediaType, size } = built.root.descriptor
  const [first] = built.images
  if (!first) throw new TypeError('a publication without an image') // a request without a platform is refused
  const names = prepared.targets.flatMap(({ output }) => namesOf(output))
  return {
    digest,
    mediaType,
    size,
    refs: names.map(({ ref }) => `${ref}@${digest}`),
    tags: names.filter(({ tagged }) => tagged).map(({ ref }) => ref),
    imageid: first.config.descriptor.digest,
    base: base && { name: formatReference(base.reference), digest: base.image.root.digest },
    platforms: built.images.map(platformReport),
    targets,
    dryRun: request.dryRun,
  }
}

export interface Name {
  readonly ref: string
  readonly tagged: boolean
}

/** Every name of an output; without a tag, the repository or the layout alone. */
export function namesOf(output: Output): readonly Name[] {
  const place = output.kind === 'registry' ? formatReference(output.image) : `${output.kind}:${output.path}`
  if (output.tags.length === 0) return [{ ref: place, tagged: false }]
  return output.tags.map(tag => ({ ref: `${place}:${tag}`, tagged: true }))
}

function platformReport({ platform, manifest, config, layers }: Image): PlatformReport {
  const { digest, size } = manifest.descriptor
  return {
    platform: formatPlatform(platform),
    digest,
    size,
    config: config.descriptor,
    layers: layers.map(({ blob, diffID, origin }) => {
      const { digest, mediaType, size } = blob.descriptor
      return { digest, diffID, mediaType, size, origin }
    }),
  }
}

type Outcome =
  | { readonly result: CopyResult; readonly steps?: undefined }
  | { readonly steps: readonly CopyStep[]; readonly tagSteps: readonly TagStep[] }

interface Reported {
  readonly target: Pick<PreparedTarget['target'], 'place'>
  readonly output: Output
}

export function targetReport({ target, output }: Reported, outcome: Outcome): TargetReport {
  const place = target.place
  const tags = output.tags
  if (outcome.steps) {
    const { steps, tagSteps } = outcome
    const of = (what: CopyStep['do']): Tally => {
      const some = steps.filter(step => step.do === what)
      return { count: some.length, bytes: some.reduce((sum, { descriptor }) => sum + descriptor.size, 0) }
    }
    return {
      place,
      tags,
      sent: of('send'),
      mounted: of('mount?'),
      existing: of('keep'),
      steps,
      tagSteps: tagSteps.flatMap(tagReport),
    }
  }
  const { sent, mounted, existing } = outcome.result
  return { place, tags, sent: tally(sent), mounted: tally(mounted), existing: tally(existing) }
}

/** None of a refused one: then there is no report. */
function tagReport(step: TagStep): readonly TagReport[] {
  switch (step.do) {
    case 'keep':
      return [{ tag: step.tag, do: 'keep' }]
    case 'move':
      return [
        step.from === undefined ? { tag: step.tag, do: 'create' } : { tag: step.tag, do: 'move', from: step.from },
      ]
    case 'leave':
      return [{ tag: step.tag, do: 'leave', from: step.from }]
    case 'refuse':
      return []
  }
}

function tally({ descriptors, bytes }: Part): Tally {
  return { count: descriptors.length, bytes }
}
