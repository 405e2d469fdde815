import type { Abortable } from '../async/abortable.ts'
import type { Blob } from '../content/blob.ts'
import type { Target } from '../content/ports.ts'
import { copyGraph, type CopyResult } from '../copy/copy.ts'
import type { OnCopyEvent } from '../copy/event.ts'
import type { ContentOf } from '../copy/walk.ts'
import type { Digest } from '../oci/digest.ts'
import type { Artifact } from './artifact.ts'

export interface PushArtifactOptions extends Abortable {
  /** Tags that move to the artifact when all of it is there; none: it is had by digest, or by its subject. */
  readonly tags?: readonly string[] | undefined
  readonly onEvent?: OnCopyEvent | undefined
}

/**
 * Makes an artifact exist at a target: its blobs, its manifest, and only then its tags. What the target has is not sent.
 *
 * @throws the failure, or an AggregateError of all; the signal's reason as it is
 */
export async function pushArtifact(
  target: Target,
  artifact: Artifact,
  { tags = [], onEvent, signal }: PushArtifactOptions = {},
): Promise<CopyResult> {
  const result = await copyGraph(contentOf(artifact), artifact.manifest.descriptor, target, { onEvent, signal })
  if (tags.length > 0) await target.tag(artifact.manifest, tags, { signal })
  return result
}

/** Where the bytes of an artifact's parts are, for copies and for their plans. */
export function contentOf({ manifest, blobs }: Artifact): ContentOf {
  const all = new Map<Digest, Blob>([manifest, ...blobs].map(blob => [blob.descriptor.digest, blob]))
  return descriptor => {
    const blob = all.get(descriptor.digest)
    if (!blob) throw new TypeError(`${descriptor.digest} is no part of the artifact`)
    return { descriptor, open: options => blob.open(options) }
  }
}
