/** Whether the bytes go in pieces (PATCH), which not every registry can take, or whole (one PUT). */
export type Pieces =
  /** The registry loses them, or the user forbids them. */
  | 'never'
  /** When the whole is refused as too large. */
  | 'when-too-large'
  /** When the connection is cut again and again as well: so large a blob is not sent from its beginning each time. */
  | 'when-cut'
  /** Now, because of cuts; whole again, should the registry not take them. */
  | 'now'
  /** Nothing else will do. */
  | 'only'

/** How an upload went so far. */
export interface Tries {
  readonly pieces: Pieces
  /** A request that moved this many bytes was no failure in a row. */
  readonly step: number
  /** Refusals that may pass, in a row. */
  readonly refusals: number
  /** Other failures, in a row. */
  readonly failures: number
  /** Failures since an attempt came further than all before it. */
  readonly stuck: number
  /** Connections cut while bytes were under way. */
  readonly cuts: number
  /** How often the registry said that the bytes are not those of the digest. */
  readonly mismatches: number
  /** Most bytes that any attempt brought there. */
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
  /** All bytes in the PUT that closes the session. */
  | { readonly at: 'send'; readonly location: URL; readonly tries: Tries }
  /** One piece, from `offset` on. */
  | { readonly at: 'piece'; readonly location: URL; readonly offset: number; readonly tries: Tries }
  /** The PUT without bytes after the last piece. */
  | { readonly at: 'close'; readonly location: URL; readonly tries: Tries }
  /** How far did the session come? */
  | { readonly at: 'ask'; readonly location: URL; readonly tries: Tries }
  | {
      readonly at: 'wait'
      /** That may be gone on with. Any other is cancelled. */
      readonly session: URL | undefined
      readonly tries: Tries
    }
  | { readonly at: 'done'; readonly how: 'exists' | 'mounted' | 'uploaded' }
  /** Spent: the error that led here is what the caller sees. */
  | { readonly at: 'failed' }

/** Why the bytes were not taken. */
export type Because =
  /** No answer: the network. */
  | 'cut'
  /** 429, 5xx: later. */
  | 'busy'
  /** The session is gone, a new one may work. */
  | 'gone'
  /** 416: the registry has other bytes than we thought. */
  | 'order'
  /** DIGEST_INVALID: the bytes may have been damaged on the way, once. */
  | 'mismatch'
  /** 413. */
  | 'too-large'
  /** The registry does not know requests of this form. */
  | 'unfit'
  | 'final'

/** What came back from the request that a state stands for. */
export type UploadEvent =
  | { readonly on: 'head'; readonly found: boolean; readonly candidates: readonly string[] }
  /** 201 and no location: mounted. */
  | { readonly on: 'opened'; readonly location: URL | undefined }
  /** A mount was refused, whatever the words. */
  | { readonly on: 'refused' }
  /** A piece was taken, and the session has so many bytes now. */
  | { readonly on: 'taken'; readonly location: URL; readonly offset: number; readonly complete: boolean }
  /** The session is alive, and has so many bytes. */
  | { readonly on: 'status'; readonly location: URL; readonly offset: number; readonly complete: boolean }
  /** The session is not alive, or does not tell. */
  | { readonly on: 'no-status' }
  | { readonly on: 'sent' }
  | {
      /** The bytes were not taken. A failure before that is not one of the upload, and ends it. */
      readonly on: 'failed'
      readonly because: Because
      /** Sent in this request. */
      readonly bytes: number
      /** Of a piece that was too large: a smaller one may not be. */
      readonly smaller?: boolean | undefined
    }
  | { readonly on: 'waited' }

const ATTEMPTS = 4
/** A registry that answers at all is asked as often as for any other request. */
const REFUSALS = 6
/** Attempts that move bytes, and are cut before anything new arrived. */
const STUCK = 10
const MISMATCHES = 2
/** From this many cuts on, pieces are worth their requests. */
const CUTS = 2
/** What counts as progress: so much, or a twentieth of a small blob. */
const STEP_BYTES = 1 << 20

/** @param size bytes of the blob */
export function start(pieces: Pieces, size: number): UploadState {
  const step = Math.max(1, Math.min(STEP_BYTES, Math.floor(size / 20)))
  return {
    at: 'check',
    tries: { pieces, step, refusals: 0, failures: 0, stuck: 0, cuts: 0, mismatches: 0, furthest: 0 },
  }
}

/**
 * distribution-spec, "Pushing blobs". Every attempt begins with HEAD, for perhaps only the answer was lost; one in pieces
 * that was interrupted asks its session first whether it can go on.
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
      return event.location === undefined ? { at: 'done', how: 'mounted' } : begun(event.location, state.tries)
    case 'send':
      if (event.on === 'sent') return { at: 'done', how: 'uploaded' }
      if (event.on === 'failed') return afterFailure(state, 0, event)
      break
    case 'piece':
      if (event.on === 'failed') return afterFailure(state, state.offset, event)
      if (event.on !== 'taken') break
      // Seen at ECR: every piece but the first is thanked for, and dropped.
      if (event.offset <= state.offset) return notTaken(state.tries)
      return goOn(event, cameTo(state.tries, event.offset))
    case 'close':
      if (event.on === 'sent') return { at: 'done', how: 'uploaded' }
      if (event.on === 'failed') return afterFailure(state, 0, event)
      break
    case 'ask':
      if (event.on === 'status') return goOn(event, state.tries)
      if (event.on === 'no-status') return { at: 'check', tries: state.tries }
      break
    case 'wait':
      if (event.on !== 'waited') break
      return state.session === undefined
        ? { at: 'check', tries: state.tries }
        : { at: 'ask', location: state.session, tries: state.tries }
    case 'done':
    case 'failed':
      break
  }
  throw new Error(`upload: "${event.on}" while at "${state.at}"`)
}

function begun(location: URL, tries: Tries): UploadState {
  return tries.pieces === 'now' || tries.pieces === 'only'
    ? { at: 'piece', location, offset: 0, tries }
    : { at: 'send', location, tries }
}

function goOn(
  { location, offset, complete }: UploadEvent & { readonly on: 'taken' | 'status' },
  tries: Tries,
): UploadState {
  return complete ? { at: 'close', location, tries } : { at: 'piece', location, offset, tries }
}

function cameTo(tries: Tries, offset: number): Tries {
  if (offset < tries.furthest + tries.step) return { ...tries, furthest: Math.max(tries.furthest, offset) }
  return { ...tries, furthest: offset, refusals: 0, failures: 0, stuck: 0 }
}

/** The registry cannot do pieces. */
function notTaken(tries: Tries): UploadState {
  if (tries.pieces !== 'now') return { at: 'failed' }
  return { at: 'wait', session: undefined, tries: { ...tries, pieces: 'never' } }
}

function afterFailure(
  state: UploadState & { readonly at: 'send' | 'piece' | 'close' },
  offset: number,
  { because, bytes, smaller = false }: UploadEvent & { readonly on: 'failed' },
): UploadState {
  const { at, tries } = state
  if (because === 'final') return { at: 'failed' }
  if (because === 'unfit') return at === 'send' ? { at: 'failed' } : notTaken(tries)
  if (because === 'too-large') {
    if (at === 'piece' && smaller) return { at: 'wait', session: state.location, tries }
    if (at !== 'send' || tries.pieces === 'never') return { at: 'failed' }
    return { at: 'wait', session: undefined, tries: { ...tries, pieces: 'only' } }
  }
  const after = counted(tries, because, offset, bytes)
  if (isSpent(after)) return { at: 'failed' }
  const again: UploadState = { at: 'wait', session: undefined, tries: piecesAfter(after) }
  if (at === 'send' || because === 'gone' || because === 'mismatch') return again
  return because === 'order'
    ? { at: 'ask', location: state.location, tries: after }
    : { ...again, session: state.location }
}

function counted(tries: Tries, because: Because, offset: number, bytes: number): Tries {
  // A registry that takes all bytes and then says no is not getting on.
  const moved = because !== 'busy' && bytes >= tries.step
  const before = moved ? { ...tries, refusals: 0, failures: 0 } : tries
  const further = offset + bytes >= tries.furthest + tries.step
  return {
    ...before,
    refusals: before.refusals + (because === 'busy' ? 1 : 0),
    failures: before.failures + (because === 'busy' ? 0 : 1),
    stuck: further ? 1 : tries.stuck + 1,
    cuts: tries.cuts + (because === 'cut' && bytes > 0 ? 1 : 0),
    mismatches: tries.mismatches + (because === 'mismatch' ? 1 : 0),
    furthest: Math.max(tries.furthest, offset + bytes),
  }
}

function isSpent({ refusals, failures, stuck, mismatches }: Tries): boolean {
  return refusals >= REFUSALS || failures >= ATTEMPTS || stuck >= STUCK || mismatches >= MISMATCHES
}

function piecesAfter(tries: Tries): Tries {
  return tries.pieces === 'when-cut' && tries.cuts >= CUTS ? { ...tries, pieces: 'now' } : tries
}

const BASE_MS = 500
const CAP_MS = 30_000

/** Full jitter; no wait before what is tried in another way. `luck` is in [0, 1). */
export function waitMs({ refusals, failures }: Tries, luck: number): number {
  const times = refusals + failures
  return times === 0 ? 0 : Math.round(luck * Math.min(CAP_MS, BASE_MS * 2 ** times))
}
