import type { Pushed } from '../content/ports.ts'
import type { Descriptor } from '../oci/descriptor.ts'

/** Told as things happen. No text, no colour, no clock: a log, a bar and a JSON stream read the same events. */
export type CopyEvent =
  /** Only of what the target is asked about; what stands below a manifest that it has is done at once. */
  | { readonly type: 'blob-start'; readonly blob: Descriptor }
  /** Bytes since the last event of the blob; negative when an attempt starts over. */
  | { readonly type: 'blob-progress'; readonly blob: Descriptor; readonly bytes: number }
  | {
      readonly type: 'blob-done'
      readonly blob: Descriptor
      readonly how: Pushed['how']
      /** Bytes that went over the wire. */
      readonly bytes: number
    }
  | {
      readonly type: 'manifest-done'
      readonly manifest: Descriptor
      readonly how: Pushed['how']
      /** Bytes that went over the wire. */
      readonly bytes: number
    }

export type OnCopyEvent = (event: CopyEvent) => void
