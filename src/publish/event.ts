import type { ImageCopyEvent } from '../copy/event.ts'
import type { LayerEvent } from '../layer/event.ts'

/** Told as things happen. No text layout, no colour, no clock: a log, a bar and a JSON stream read the same events. */
export type PublishEvent =
  | LayerEvent
  | ImageCopyEvent
  | { readonly type: 'step'; readonly step: 'base' | 'layers' | 'sign'; readonly text: string }
  /** A request is sent once more. */
  | {
      readonly type: 'retry'
      readonly host: string
      readonly operation: string
      readonly reason: string
      readonly attempt: number
      /** How many there are at most, where that is fixed. */
      readonly attempts: number | undefined
      readonly waitMs: number
    }

export type OnPublishEvent = (event: PublishEvent) => void
