import { allOrErrors } from '../async/all-or-errors.ts'
import type { Blob } from '../content/blob.ts'
import type { Abortable } from '../async/abortable.ts'
import { isNondistributable } from '../oci/media-type.ts'
import type { PublishDeps } from './deps.ts'
import { mountsFor } from './mounts.ts'
import type { Prepared } from './prepare.ts'

/** Blobs that travel before the image they belong to is complete. */
export interface Ahead {
  readonly send: (blob: Blob) => void
  /** Aborted with the first failure: what is still to be made would not be published. */
  readonly failed: AbortSignal
  /** Waits for all of them; a layer that failed does not stop the others, whose bytes would be lost. */
  readonly settled: () => Promise<void>
}

/**
 * Begins to send blobs as soon as they are there: a blob that no manifest names is visible to nobody, and the network is
 * used while the processors compress. Layers of the base go first, for targets that hold no image on it; but not those
 * that only their publisher may serve: whether they are there to be sent is found when the image is.
 */
export function sendAhead(prepared: Prepared, { onEvent }: PublishDeps, { signal }: Abortable): Ahead {
  const { request, base, targets } = prepared
  const sending: Promise<unknown>[] = []
  const failed = new AbortController()
  const send = (blob: Blob): void => {
    if (request.dryRun) return
    for (const one of targets) {
      const { target } = one
      const { descriptor } = blob
      const pushed = target.push(blob, {
        mountFrom: mountsFor(one, prepared)(descriptor),
        onBytes: bytes => {
          onEvent({ type: 'blob-progress', blob: descriptor, bytes, place: target.place })
        },
        signal,
      })
      pushed.catch((error: unknown) => {
        failed.abort(error)
      })
      sending.push(pushed)
    }
  }
  const fresh = targets.some(({ previous }) => previous.images.length === 0)
  const below = new Set(fresh ? base?.image.bases.flatMap(({ layers }) => layers) : [])
  for (const layer of below) if (!isNondistributable(layer.descriptor.mediaType)) send(layer)
  return {
    send,
    failed: failed.signal,
    async settled() {
      await allOrErrors(sending)
    },
  }
}
