/** Told while a layer is made. No text layout, no colour, no clock. */
export type LayerEvent =
  /** `bytes`: how many the uncompressed layer has, as far as that is known before it is read. */
  | { readonly type: 'layer-start'; readonly line: string; readonly bytes: number | undefined }
  /** Uncompressed bytes that went by since the last event, in a pass that only computes the diffID or one that compresses. */
  | { readonly type: 'layer-bytes'; readonly line: string; readonly delta: number; readonly pass: 'hash' | 'compress' }
  | { readonly type: 'layer-done'; readonly line: string; readonly origin: 'assembled' | 'cached' }

export type OnLayerEvent = (event: LayerEvent) => void
