/** How often an upload failed so far, and how far it ever came. */
export interface Tries {
  /** Failures without progress, in a row. */
  readonly failures: number
  /** How often the registry said that the bytes are not those of the digest. */
  readonly mismatches: number
  /** Most bytes that any attempt sent. */
  readonly furthest: number
}

export type UploadState =
  | { readonly at: 'check'; readonly tries: Tries }
  | {
      readonly at: 'open'
      /** Repositories that may hold the blob; the first is asked for. Empty: a plain session. */
      readonly candidates: readonly string[]
      readonly tries: Tries
    }
  | { readonly at: 'send'; readonly location: URL; readonly tries: Tries }
  | { readonly at: 'wait'; readonly tries: Tries }
  | { readonly at: 'done'; readonly how: 'exists' | 'mounted' | 'uploaded' }
  /** Spent: the error that led here is what the caller sees. */
  | { readonly at: 'failed' }

/** What came back from the request that a state stands for. */
export type UploadEvent =
  | { readonly on: 'head'; readonly found: boolean; readonly candidates: readonly string[] }
  /** 201 and no location: mounted. */
  | { readonly on: 'opened'; readonly location: URL | undefined }
  /** A mount was refused, whatever the words. */
  | { readonly on: 'refused' }
  | { readonly on: 'sent' }
  | {
      /** The bytes were not taken. A failure before that is not one of the upload, and ends it. */
      readonly on: 'failed'
      /** `mismatch` is DIGEST_INVALID: the bytes may have been damaged on the way, once. */
      readonly because: 'retriable' | 'mismatch' | 'final'
      /** Sent in this attempt. */
      readonly bytes: number
    }
  | { readonly on: 'waited' }

const ATTEMPTS = 4
const MISMATCHES = 2
/** An attempt that came this much further than any before is no failure in a row. */
const PROGRESS_BYTES = 1 << 20

export const START: UploadState = { at: 'check', tries: { failures: 0, mismatches: 0, furthest: 0 } }

/**
 * distribution-spec, "Pushing blobs". Every attempt begins with HEAD: perhaps only the answer was lost.
 *
 * A pair of state and event that is not named here is a bug of ours, and throws.
 */
export function next(state: UploadState, event: UploadEvent): UploadState {
  switch (state.at) {
    case 'check':
      if (event.on !== 'head') break
      if (!event.found) return { at: 'open', candidates: event.candidates, tries: state.tries }
      return { at: 'done', how: state.tries.furthest > 0 ? 'uploaded' : 'exists' }
    case 'open':
      if (event.on === 'refused' && state.candidates.length > 0) {
        return { at: 'open', candidates: state.candidates.slice(1), tries: state.tries } // a mount is never fatal
      }
      if (event.on !== 'opened') break
      return event.location === undefined
        ? { at: 'done', how: 'mounted' }
        : { at: 'send', location: event.location, tries: state.tries }
    case 'send':
      if (event.on === 'sent') return { at: 'done', how: 'uploaded' }
      if (event.on === 'failed') return afterFailure(state.tries, event)
      break
    case 'wait':
      if (event.on === 'waited') return { at: 'check', tries: state.tries }
      break
    case 'done':
    case 'failed':
      break
  }
  throw new Error(`upload: "${event.on}" while at "${state.at}"`)
}

function afterFailure(tries: Tries, { because, bytes }: UploadEvent & { readonly on: 'failed' }): UploadState {
  if (because === 'final') return { at: 'failed' }
  const progressed = bytes >= tries.furthest + PROGRESS_BYTES
  const after: Tries = {
    failures: progressed ? 1 : tries.failures + 1,
    mismatches: tries.mismatches + (because === 'mismatch' ? 1 : 0),
    furthest: Math.max(tries.furthest, bytes),
  }
  if (after.failures >= ATTEMPTS || after.mismatches >= MISMATCHES) return { at: 'failed' }
  return { at: 'wait', tries: after }
}

const BASE_MS = 500
const CAP_MS = 30_000

/** Full jitter. `luck` is in [0, 1). */
export function waitMs({ failures }: Tries, luck: number): number {
  return Math.round(luck * Math.min(CAP_MS, BASE_MS * 2 ** failures))
}
