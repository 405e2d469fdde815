import { Once } from '../async/once.ts'
import type { Pushed, Target } from '../content/ports.ts'
import { withPush } from '../content/with-push.ts'
import type { Digest } from '../oci/digest.ts'

/**
 * A target that pushes each digest once a run and tells everybody who pushes it again how it came to be there. So layers
 * can travel while others are still being made, and the copy of the whole image counts them as what they were.
 */
export function recorded(target: Target): Target {
  const pushes = new Once<Digest, Pushed>()
  return withPush(target, (blob, options) => pushes.run(blob.descriptor.digest, () => target.push(blob, options)))
}
