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

/** What becomes of a session when the connection was cut while the whole was sent. */
type Resume =
  /** It is asked how far it came, and gone on with. */
  | 'may'
  /** This one is gone on with: should the registry not like its bytes, it may be for the seam. */
  | 'did'
  /** It is given up: the registry makes no whole of two requests, or the user forbids them. */
  | 'never'

/** How an upload went so far. */
export interface Tries {
  readonly pieces: Pieces
  readonly resume: Resume
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
  /** Pieces of which the registry kept less than it was sent. */
  readonly shorts: number
  /** Most bytes that any attempt brought there. */
  readonly furthest: number
}

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

const ATTEMPTS = 4
/** The same where the session has kept what came before: the less is left, the less there is to get on with. */
const KEPT_ATTEMPTS = 10
/** A registry that answers at all is asked as often as for any other request. */
const REFUSALS = 6
/** Attempts that move bytes, and are cut before anything new arrived. */
const STUCK = 10
const MISMATCHES = 2
/** A registry that keeps a byte of each piece would be sent a blob as often as the blob has bytes. */
const SHORTS = 10
/** From this many cuts on, pieces are worth their requests. */
const CUTS = 2
/** What counts as progress: so much, or a twentieth of a small blob. */
const STEP_BYTES = 1 << 20

/** Of an upload that begins. @param size bytes of the blob */
export function noneYet(pieces: Pieces, size: number): Tries {
  const step = Math.max(1, Math.min(STEP_BYTES, Math.floor(size / 20)))
  // The rest of a whole is a piece, too.
  const resume = pieces === 'never' ? 'never' : 'may'
  return { pieces, resume, step, refusals: 0, failures: 0, stuck: 0, cuts: 0, mismatches: 0, shorts: 0, furthest: 0 }
}

/** Whether what is sent next is no more than a piece. */
export function isInPieces({ pieces }: Tries): boolean {
  return pieces === 'now' || pieces === 'only'
}

/** After a piece of which only a part was taken. */
export function keptShort(tries: Tries): Tries {
  return { ...tries, shorts: tries.shorts + 1 }
}

/** After a piece that was taken: the session has so many bytes now. */
export function cameTo(tries: Tries, offset: number): Tries {
  if (offset < tries.furthest + tries.step) return { ...tries, furthest: Math.max(tries.furthest, offset) }
  return { ...tries, furthest: offset, refusals: 0, failures: 0, stuck: 0 }
}

/** After a failure of a request that began at `offset`, and sent so many bytes. */
export function counted(tries: Tries, because: Because, offset: number, bytes: number): Tries {
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

/** Whether the session may have some of the bytes of a whole. */
export function goesOn({ resume }: Tries, because: Because, offset: number, bytes: number): boolean {
  if (resume === 'never') return false
  return because === 'cut' ? offset + bytes > 0 : because === 'busy' && offset > 0
}

/** Whether it is time to give up. */
export function isSpent({ resume, refusals, failures, stuck, mismatches, shorts }: Tries): boolean {
  const attempts = resume === 'did' ? KEPT_ATTEMPTS : ATTEMPTS
  if (mismatches >= MISMATCHES || shorts >= SHORTS) return true
  return refusals >= REFUSALS || failures >= attempts || stuck >= STUCK
}

/** After cuts, pieces may be worth their requests. */
export function piecesAfter(tries: Tries): Tries {
  return tries.pieces === 'when-cut' && tries.cuts >= CUTS ? { ...tries, pieces: 'now' } : tries
}

const BASE_MS = 500
const CAP_MS = 30_000

/** Full jitter; no wait before what is tried in another way. `luck` is in [0, 1). */
export function waitMs({ refusals, failures }: Tries, luck: number): number {
  const times = refusals + failures
  return times === 0 ? 0 : Math.round(luck * Math.min(CAP_MS, BASE_MS * 2 ** times))
}
