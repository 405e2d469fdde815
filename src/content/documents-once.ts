import { Once } from '../async/once.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import type { ReferrerLister, Target } from './ports.ts'
import { readAll } from './verify.ts'
import { withPush } from './with-push.ts'

/** Documents of more bytes are read anew each time. */
const MAX_BYTES = 1 << 20
/** All that is kept of one target. */
const MAX_KEPT_BYTES = 16 << 20

/**
 * The same target, which is asked once for each small document (a manifest, a config, a bundle): its bytes are what its
 * digest says, and stay so.
 */
export function withDocumentsOnce(target: Target): Target & Partial<ReferrerLister> {
  const documents = new Once<Digest, Uint8Array>()
  let room = MAX_KEPT_BYTES
  const isKept = ({ mediaType, size }: Descriptor): boolean => /[+/]json\b/.test(mediaType) && size <= MAX_BYTES
  return {
    ...withPush(target, (blob, options) => target.push(blob, options)),
    async *open(descriptor, options = {}) {
      if (!isKept(descriptor) || (options.offset ?? 0) > 0 || room < descriptor.size) {
        yield* target.open(descriptor, options)
        return
      }
      const { signal } = options
      const bytes = await documents.run(descriptor.digest, () => {
        room -= descriptor.size
        return readAll(target.open(descriptor, { signal }), { maxBytes: MAX_BYTES, what: descriptor.digest, signal })
      })
      signal?.throwIfAborted()
      yield bytes
    },
  }
}
