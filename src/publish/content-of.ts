import type { Blob } from '../content/blob.ts'
import type { ContentOf } from '../copy/walk.ts'
import type { Digest } from '../oci/digest.ts'
import type { Built } from './build.ts'

/** The bytes of everything that was put together, wherever they are: in memory, in a file, at the base's registry. */
export function contentOf({ root, images }: Built): ContentOf {
  const blobs = new Map<Digest, Blob>()
  const parts = images.flatMap(({ manifest, config, layers }) => [manifest, config, ...layers.map(({ blob }) => blob)])
  for (const blob of [root, ...parts]) blobs.set(blob.descriptor.digest, blob)
  return descriptor => {
    const blob = blobs.get(descriptor.digest)
    if (!blob) throw new TypeError(`${descriptor.digest} is no part of what was put together`)
    return { descriptor, open: options => blob.open(options) }
  }
}
