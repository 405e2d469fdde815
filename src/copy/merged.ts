import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import type { CopyResult, Part } from './copy.ts'
import type { CopyStep } from './plan.ts'

/** Several copies to one target as if they were one: what they have in common counts once, and not as there already. */
export function mergedResult(results: readonly CopyResult[]): CopyResult {
  const sent = unique(results.map(result => result.sent))
  const mounted = unique(results.map(result => result.mounted))
  const came = new Set([...sent, ...mounted].map(({ digest }) => digest))
  const existing = unique(results.map(result => result.existing)).filter(({ digest }) => !came.has(digest))
  return {
    // What was sent twice counts twice.
    sent: { descriptors: sent, bytes: results.reduce((sum, result) => sum + result.sent.bytes, 0) },
    mounted: { descriptors: mounted, bytes: sizeOf(mounted) },
    existing: { descriptors: existing, bytes: sizeOf(existing) },
  }
}

function unique(parts: readonly Part[]): readonly Descriptor[] {
  const found = new Map<Digest, Descriptor>()
  for (const one of parts.flatMap(({ descriptors }) => descriptors)) {
    if (!found.has(one.digest)) found.set(one.digest, one)
  }
  return [...found.values()]
}

function sizeOf(descriptors: readonly Descriptor[]): number {
  return descriptors.reduce((sum, { size }) => sum + size, 0)
}

/** The same for plans. */
export function mergedSteps(plans: readonly (readonly CopyStep[])[]): readonly CopyStep[] {
  const steps = new Map<Digest, CopyStep>()
  for (const step of plans.flat()) steps.set(step.descriptor.digest, step)
  return [...steps.values()]
}
