import type { PublishEvent } from '../publish/event.ts'
import { shortDigest } from '../oci/digest.ts'
import { bytesText, durationText } from './amount.ts'
import { oneLine } from './one-line.ts'

const HOW = { exists: 'already there', mounted: 'mounted', uploaded: 'sent' } as const
const MADE = { assembled: 'layer made', cached: 'layer known' } as const

/** An event as one line of a log; undefined for what happens too often to be told one by one. */
export function lineOf(event: PublishEvent): string | undefined {
  const line = text(event)
  return line === undefined ? undefined : oneLine(line)
}

function text(event: PublishEvent): string | undefined {
  switch (event.type) {
    case 'layer-start':
    case 'layer-bytes':
    case 'blob-start':
    case 'blob-progress':
      return undefined
    case 'layer-done':
      return `${MADE[event.origin]}: ${event.line}`
    case 'blob-done': {
      const { blob, how, place } = event
      return `${HOW[how]}: ${shortDigest(blob.digest)}, ${bytesText(blob.size)}, ${place}`
    }
    case 'file-done':
      return `fetched: ${event.name}, ${bytesText(event.blob.size)}, ${event.place}`
    case 'manifest-done':
      return `${HOW[event.how]}: ${shortDigest(event.manifest.digest)}, manifest, ${event.place}`
    case 'step':
    case 'notice':
      return event.text
    case 'tagged':
      return event.tags.length === 0 ? undefined : `tagged: ${event.place} ${event.tags.join(', ')}`
    case 'retry': {
      const { host, operation, reason, attempt, attempts, waitMs } = event
      const wait = waitMs === 0 ? 'again at once' : `again in ${durationText(waitMs)}`
      return `${host}: could not ${operation}: ${reason}; ${wait} (attempt ${attempt}${attempts === undefined ? '' : ` of ${attempts}`})`
    }
  }
}
