import type { Abortable } from '../async/abortable.ts'
import { RegistryError, type Refusal } from '../errors.ts'
import type { Access } from './access.ts'
import type { RegistryHost } from './host.ts'

/** The clock of the process, for waits that nobody sleeps through. */
export interface QuietClock {
  /** Never set back. */
  readonly now: () => number
  /** Does something later. @returns what calls it off */
  readonly later: (waitMs: number, work: () => void) => () => void
}

/** What is told of a transfer of which nothing moves. */
export interface Transfer {
  /** In words: `push blob sha256:…`. */
  readonly operation: string
  readonly method: string
  /** Of the registry. */
  readonly path: string
  /** What to do then. */
  readonly hint: string
}

export interface QuietOptions extends Abortable {
  /** How long nothing may move. Default: a quarter of an hour. */
  readonly mostMs?: number | undefined
  /** What went wrong last. */
  readonly failure: () => unknown
  readonly clock?: QuietClock | undefined
}

/** Of one transfer. */
export interface Quiet {
  /** Aborted with the error when it has been quiet for too long, or with the signal that was given. */
  readonly signal: AbortSignal
  /** Some bytes went out, or came in. */
  readonly moved: () => void
  /** Whoever gets the bytes is busy with them: until `goOn` it is not the registry that is waited for. */
  readonly pause: () => void
  readonly goOn: () => void
  readonly end: () => void
}

const CLOCK: QuietClock = {
  now: () => performance.now(),
  later: (waitMs, work) => {
    const timer = setTimeout(work, waitMs)
    timer.unref() // what is waited for keeps the process alive, or nothing is
    return () => {
      clearTimeout(timer)
    }
  },
}

const MOST_MS = 900_000

/** When bytes went to a host or came from it: a blob whose turn has not come, because others are on their way, is not stuck. */
const movedAt = new WeakMap<RegistryHost, number>()

/**
 * Ends a transfer of which nothing moves. Every single request and wait has its own limit; a registry that says "later"
 * again and again could keep a job waiting for longer than all of its work takes.
 */
export function watchQuiet(
  access: Access,
  transfer: Transfer,
  { mostMs = MOST_MS, failure, clock = CLOCK, signal }: QuietOptions,
): Quiet {
  const { host } = access
  const stop = new AbortController()
  let since = clock.now()
  let paused = false
  const check = (): void => {
    const quietMs = paused ? 0 : clock.now() - Math.max(since, movedAt.get(host) ?? -Infinity)
    if (quietMs >= mostMs) stop.abort(quietError(access, transfer, mostMs, failure()))
    else callOff = clock.later(mostMs - quietMs, check)
  }
  let callOff = clock.later(mostMs, check)
  return {
    signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
    moved: () => {
      movedAt.set(host, clock.now())
    },
    pause: () => {
      paused = true
    },
    goOn: () => {
      paused = false
      since = clock.now()
    },
    end: () => {
      callOff()
    },
  }
}

function quietError(
  access: Access,
  { operation, method, path, hint }: Transfer,
  mostMs: number,
  cause: unknown,
): RegistryError {
  const { side, host, repository } = access
  const last: Partial<Refusal> = cause instanceof RegistryError ? cause : {}
  const { status = 0, codes = [], detail = '', requestId } = last
  const quiet = `no byte of it has moved for ${Math.round(mostMs / 60_000)} minutes`
  const refusal: Refusal = {
    ...{ side, host: host.name, repository, operation, method },
    url: new URL(path, host.base).href,
    ...{ status, codes, requestId, retriable: true },
    detail: detail === '' ? quiet : `${detail}; ${quiet}`,
  }
  return new RegistryError(refusal, { cause, hint })
}
