import { shortDigest } from '../oci/digest.ts'
import type { PublishEvent } from '../publish/event.ts'

/** A layer that is being made, or a blob on its way to a place. */
export interface Task {
  readonly kind: 'layer' | 'transfer'
  /** The layer's line, or the start of the blob's digest. */
  readonly what: string
  /** Of a transfer: where to. */
  readonly place: string | undefined
  /** Bytes that went by in the running attempt. */
  readonly bytes: number
  /** All there are, as far as that is known. */
  readonly size: number | undefined
  readonly startedAtMs: number
}

/** What is going on now. A value: `advance` makes the next one. */
export interface Progress {
  readonly step: string
  /** In the order they began; one that is done is gone. */
  readonly tasks: ReadonlyMap<string, Task>
  /** Bytes over the wire, of all transfers, finished ones too. */
  readonly sentBytes: number
  readonly sendingSinceMs: number | undefined
}

export const IDLE: Progress = { step: '', tasks: new Map(), sentBytes: 0, sendingSinceMs: undefined }

/** @param nowMs any clock that only goes forward */
export function advance(progress: Progress, event: PublishEvent, nowMs: number): Progress {
  switch (event.type) {
    case 'step':
      return { ...progress, step: event.text }
    case 'layer-start': {
      const { line, bytes: size } = event
      const task = { kind: 'layer', what: line, place: undefined, bytes: 0, size, startedAtMs: nowMs } as const
      return withTask(progress, `layer ${line}`, task)
    }
    case 'layer-bytes': {
      const task = progress.tasks.get(`layer ${event.line}`)
      return task ? withTask(progress, `layer ${event.line}`, grown(task, event.delta)) : progress
    }
    case 'layer-done':
      return withTask(progress, `layer ${event.line}`, undefined)
    case 'blob-progress': {
      const { place, blob, bytes } = event
      const key = `${place} ${blob.digest}`
      const what = shortDigest(blob.digest)
      const begun = { kind: 'transfer', what, place, bytes: 0, size: blob.size, startedAtMs: nowMs } as const
      const task = progress.tasks.get(key) ?? begun
      return {
        ...withTask(progress, key, grown(task, bytes)),
        sentBytes: progress.sentBytes + bytes,
        sendingSinceMs: progress.sendingSinceMs ?? nowMs,
      }
    }
    case 'blob-done':
    case 'file-done':
      return withTask(progress, `${event.place} ${event.blob.digest}`, undefined)
    case 'blob-start':
    case 'manifest-done':
    case 'notice':
    case 'retry':
    case 'tagged':
      return progress
  }
}

/** Counts bytes; a layer that goes by a second time, to be compressed, starts over. */
function grown(task: Task, delta: number): Task {
  const bytes = task.bytes + delta
  const again = task.kind === 'layer' && task.size !== undefined && bytes > task.size
  return { ...task, bytes: again ? delta : bytes }
}

function withTask(progress: Progress, key: string, task: Task | undefined): Progress {
  const tasks = new Map(progress.tasks)
  if (task) tasks.set(key, task)
  else tasks.delete(key)
  return { ...progress, tasks }
}
