import type { CopyEvent } from '../copy/event.ts'
import type { LayerEvent } from '../layer/event.ts'

/** Told as things happen. No text layout, no colour, no clock: a log, a bar and a JSON stream read the same events. */
export type PublishEvent =
  | LayerEvent
  | (CopyEvent & { readonly place: string })
  /** Something the user did not ask for but should know: a lower-cased name, a variant that stands in for another. */
  | { readonly type: 'notice'; readonly text: string }
  | { readonly type: 'step'; readonly step: 'base' | 'layers' | 'push' | 'tags'; readonly text: string }
  | { readonly type: 'tagged'; readonly place: string; readonly tags: readonly string[] }
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
