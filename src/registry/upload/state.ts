import type { Repository } from '../../oci/repository.ts'
import {
  cameTo,
  counted,
  goesOn,
  isInPieces,
  isSpent,
  keptShort,
  noneYet,
  piecesAfter,
  type Because,
  type Pieces,
  type Tries,
} from './tries.ts'

export type UploadState =
  | { readonly at: 'check'; readonly tries: Tries }
  | {
      readonly at: 'open'
      /** Repositories that may hold the blob; the first is asked for. Empty: a plain session. */
      readonly candidates: readonly Repository[]
      readonly tries: Tries
    }
  /** All bytes, or those that an interrupted session has not, in the PUT that closes it. */
  | { readonly at: 'send'; readonly location: URL; readonly offset: number; readonly tries: Tries }
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

/** What came back from the request that a state stands for. */
export type UploadEvent =
  | { readonly on: 'head'; readonly found: boolean; readonly candidates: readonly Repository[] }
  /** 201 and no location: mounted. */
  | { readonly on: 'opened'; readonly location: URL | undefined }
  /** A mount was refused, whatever the words. */
  | { readonly on: 'refused' }
  /** A piece was taken, and the session has so many bytes now. */
  | {
      readonly on: 'taken'
      readonly location: URL
      readonly offset: number
      readonly complete: boolean
      /** Less than was sent. */
      readonly short?: boolean | undefined
    }
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

/** @param size bytes of the blob */
export function start(pieces: Pieces, size: number): UploadState {
  return { at: 'check', tries: noneYet(pieces, size) }
}

/**
 * distribution-spec, "Pushing blobs". Every attempt begins with HEAD, for perhaps only the answer was lost; one that was
 * interrupted asks its session first whether it can go on.
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
      if (event.on === 'failed') return afterFailure(state, state.offset, event)
      break
    case 'piece':
      if (event.on === 'failed') return afterFailure(state, state.offset, event)
      if (event.on !== 'taken') break
      // Seen at ECR: every piece but the first is thanked for, and dropped.
      if (event.offset <= state.offset) return notTaken(state.tries)
      return afterPiece(event, cameTo(state.tries, event.offset))
    case 'close':
      if (event.on === 'sent') return { at: 'done', how: 'uploaded' }
      if (event.on === 'failed') return afterFailure(state, 0, event)
      break
    case 'ask':
      // A session that kept nothing of a cut request saves nothing, and may have kept what it does not tell of.
      if (event.on === 'status' && (event.offset > 0 || state.tries.resume !== 'did')) return goOn(event, state.tries)
      if (event.on === 'status' || event.on === 'no-status') return { at: 'check', tries: state.tries }
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
  const resume = tries.resume === 'did' ? 'may' : tries.resume
  return sendFrom(location, 0, { ...tries, resume })
}

function sendFrom(location: URL, offset: number, tries: Tries): UploadState {
  return { at: isInPieces(tries) ? 'piece' : 'send', location, offset, tries }
}

function goOn(
  { location, offset, complete }: UploadEvent & { readonly on: 'taken' | 'status' },
  tries: Tries,
): UploadState {
  return complete ? { at: 'close', location, tries } : sendFrom(location, offset, tries)
}

function afterPiece(event: UploadEvent & { readonly on: 'taken' }, tries: Tries): UploadState {
  const after = event.short === true ? keptShort(tries) : tries
  return isSpent(after) ? { at: 'failed' } : goOn(event, after)
}

/** The registry cannot do pieces. */
function notTaken(tries: Tries): UploadState {
  if (tries.pieces !== 'now') return { at: 'failed' }
  return { at: 'wait', session: undefined, tries: { ...tries, pieces: 'never', resume: 'never' } }
}

/** What a registry may say of a session that was interrupted, and would not of another. */
const OF_THE_SEAM: readonly Because[] = ['mismatch', 'order', 'unfit', 'gone']

function afterFailure(
  state: UploadState & { readonly at: 'send' | 'piece' | 'close' },
  offset: number,
  { because, bytes, smaller = false }: UploadEvent & { readonly on: 'failed' },
): UploadState {
  const { at, tries } = state
  if (because === 'final') return { at: 'failed' }
  if (tries.resume === 'did' && (isInPieces(tries) ? because === 'mismatch' : OF_THE_SEAM.includes(because))) {
    return { at: 'wait', session: undefined, tries: { ...tries, resume: 'never' } }
  }
  if (because === 'unfit') return at === 'send' ? { at: 'failed' } : notTaken(tries)
  if (because === 'too-large') {
    if (at === 'piece' && smaller) return { at: 'wait', session: state.location, tries }
    if (at !== 'send' || tries.pieces === 'never') return { at: 'failed' }
    return { at: 'wait', session: undefined, tries: { ...tries, pieces: 'only' } }
  }
  const after = counted(tries, because, offset, bytes)
  if (isSpent(after)) return { at: 'failed' }
  const again: UploadState = { at: 'wait', session: undefined, tries: piecesAfter(after) }
  if (at === 'send' && goesOn(after, because, offset, bytes)) {
    return { at: 'wait', session: state.location, tries: { ...again.tries, resume: 'did' } }
  }
  if (at === 'send' || because === 'gone' || because === 'mismatch') return again
  return because === 'order'
    ? { at: 'ask', location: state.location, tries: after }
    : { ...again, session: state.location }
}
