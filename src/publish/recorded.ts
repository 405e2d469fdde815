import { Once } from '../async/once.ts'
import type { Pushed, Target } from '../content/ports.ts'
import { withPush } from '../content/with-push.ts'
import type { Digest } from '../oci/digest.ts'
import type { PreparedTarget } from './prepare.ts'

/**
 * A target that pushes each digest once a run and tells everybody who pushes it again how it came to be there. So layers
 * can travel while others are still being made, and the copy of the whole image counts them as what they were.
 *
 * Of a registry, the manifests that the tags led to are known to be there. A layout may list what it does not hold.
 */
export function recorded({ target, output, previous }: PreparedTarget): Target {
  const pushes = new Once<Digest, Pushed>()
  const seen = [...previous.tags.values(), ...previous.images.map(({ manifest }) => manifest.digest)]
  const there = new Set(output.kind === 'registry' ? seen : [])
  return {
    ...withPush(target, (blob, options) => pushes.run(blob.descriptor.digest, () => target.push(blob, options))),
    has: async (descriptor, options) => there.has(descriptor.digest) || target.has(descriptor, options),
    ...(target.isComplete && {
      isComplete: manifest => there.has(manifest.digest) || target.isComplete?.(manifest) === true,
    }),
  }
}
