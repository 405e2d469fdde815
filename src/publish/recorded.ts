import { Once } from '../async/once.ts'
import type { Blob } from '../content/blob.ts'
import type { PushOptions, Pushed, Target } from '../content/ports.ts'
import type { Digest } from '../oci/digest.ts'

/**
 * A target that pushes each digest once a run and tells everybody who pushes it again how it came to be there. So layers
 * can travel while others are still being made, and the copy of the whole image counts them as what they were.
 */
export function recorded(target: Target): Target {
  const pushes = new Once<Digest, Pushed>()
  return {
    place: target.place,
    mountDomain: target.mountDomain,
    resolve: (name, options) => target.resolve(name, options),
    open: (descriptor, options) => target.open(descriptor, options),
    has: (descriptor, options) => target.has(descriptor, options),
    push: (blob: Blob, options?: PushOptions) => pushes.run(blob.descriptor.digest, () => target.push(blob, options)),
    tag: (manifest, names, options) => target.tag(manifest, names, options),
    close: async options => target.close?.(options),
  }
}
