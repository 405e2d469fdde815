import type { Output } from '../content/places.ts'
import type { InputProblem } from '../errors.ts'
import { formatReference } from '../oci/reference.ts'
import type { FoundFile } from './find-files.ts'

/** Bytes of the largest layer, as registries document it. They say so themselves only after all of it was sent. */
const LARGEST_LAYER: ReadonlyMap<string, number> = new Map([['ghcr.io', 10 * 2 ** 30]])

/** Files that a registry is known not to take. */
export function limitProblems(files: readonly FoundFile[], outputs: readonly Output[]): readonly InputProblem[] {
  return outputs.flatMap(output => {
    if (output.kind !== 'registry') return []
    const limit = LARGEST_LAYER.get(output.image.host)
    if (limit === undefined) return []
    return files
      .filter(({ size }) => size > limit)
      .map(({ path, size }): InputProblem => {
        const problem = `${path} has ${size} bytes, and ${formatReference(output.image)} takes layers of ${limit} at most`
        return { input: 'files', problem, hint: 'part it into smaller files, or publish it to another registry' }
      })
  })
}
