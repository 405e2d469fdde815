import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import type { CopyResult, Part } from './copy.ts'
import type { CopyStep } from './plan.ts'

/** Several copies to one target as if they were one: what they have in common counts once, and not as there already. */
export function mergedResult(results: readonly CopyResult[]): CopyResult {
  const came = new Set(
    results.flatMap(({ sent, mounted }) => [...sent.descriptors, ...mounted.descriptors].map(({ digest }) => digest)),
  )
  const existing = new Map<Digest, Descriptor>()
  for (const one of results.flatMap(result => result.existing.descriptors)) {
    if (!came.has(one.digest)) existing.set(one.digest, one)
  }
  const kept = [...existing.values()]
  return {
    sent: sum(results.map(({ sent }) => sent)),
    mounted: sum(results.map(({ mounted }) => mounted)),
    existing: { descriptors: kept, bytes: kept.reduce((bytes, { size }) => bytes + size, 0) },
  }
}

function sum(parts: readonly Part[]): Part {
  return {
    descriptors: parts.flatMap(({ descriptors }) => descriptors),
    bytes: parts.reduce((total, { bytes }) => total + bytes, 0),
  }
}

/** The same for plans. */
export function mergedSteps(plans: readonly (readonly CopyStep[])[]): readonly CopyStep[] {
  const steps = new Map<Digest, CopyStep>()
  for (const step of plans.flat()) steps.set(step.descriptor.digest, step)
  return [...steps.values()]
}
