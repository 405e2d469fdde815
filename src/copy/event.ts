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

/** Of the copy of an image as a whole. */
export type ImageCopyEvent =
  | (CopyEvent & { readonly place: string })
  /** Something the user did not ask for but should know: a digest that changes, a lower-cased name. */
  | { readonly type: 'notice'; readonly text: string }
  | { readonly type: 'step'; readonly step: 'push' | 'tags'; readonly text: string }
  | { readonly type: 'tagged'; readonly place: string; readonly tags: readonly string[] }
  /** A blob became a file, by its name in the artifact. */
  | { readonly type: 'file-done'; readonly place: string; readonly blob: Descriptor; readonly name: string }

export type OnImageCopyEvent = (event: ImageCopyEvent) => void
