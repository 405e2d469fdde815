import type { PublishEvent } from '../publish/event.ts'
import type { Descriptor } from '../oci/descriptor.ts'

/** A blob on its way to a place. */
export interface Transfer {
  readonly place: string
  readonly blob: Descriptor
  /** Bytes of the running attempt. */
  readonly bytes: number
  readonly startedAtMs: number
}

/** What is going on now. A value: `advance` makes the next one. */
export interface Progress {
  readonly step: string
  /** By place and digest, in the order they began. */
  readonly transfers: ReadonlyMap<string, Transfer>
  /** Of finished and running transfers. */
  readonly sentBytes: number
  readonly startedAtMs: number | undefined
}

export const IDLE: Progress = { step: '', transfers: new Map(), sentBytes: 0, startedAtMs: undefined }

/** @param nowMs any clock that only goes forward */
export function advance(progress: Progress, event: PublishEvent, nowMs: number): Progress {
  switch (event.type) {
    case 'step':
      return { ...progress, step: event.text }
    case 'blob-progress': {
      const { place, blob, bytes } = event
      const key = keyOf(event)
      const before = progress.transfers.get(key)
      const transfer = { place, blob, bytes, startedAtMs: before?.startedAtMs ?? nowMs }
      return {
        ...progress,
        transfers: new Map(progress.transfers).set(key, transfer),
        sentBytes: progress.sentBytes + bytes - (before?.bytes ?? 0),
        startedAtMs: progress.startedAtMs ?? nowMs,
      }
    }
    case 'blob-done': {
      const transfers = new Map(progress.transfers)
      transfers.delete(keyOf(event))
      return { ...progress, transfers }
    }
    default:
      return progress
  }
}

function keyOf({ place, blob }: { readonly place: string; readonly blob: Descriptor }): string {
  return `${place} ${blob.digest}`
}
