import type { Abortable } from '../../async/abortable.ts'
import { RegistryError, type Refusal } from '../../errors.ts'
import type { Descriptor } from '../../oci/descriptor.ts'
import type { Access } from '../access.ts'
import type { RegistryHost } from '../host.ts'

/** The clock of the process, for waits that nobody sleeps through. */
export interface QuietClock {
  /** Never set back. */
  readonly now: () => number
  /** Does something later. @returns what calls it off */
  readonly later: (waitMs: number, work: () => void) => () => void
}

export interface QuietOptions extends Abortable {
  /** How long nothing may move. */
  readonly mostMs: number
  /** What went wrong last. */
  readonly failure: () => unknown
  readonly clock?: QuietClock
}

/** Of one upload. */
export interface Quiet {
  /** Aborted with the error when it has been quiet for too long, or with the signal that was given. */
  readonly signal: AbortSignal
  /** Some bytes went out. */
  readonly moved: () => void
  readonly end: () => void
}

const CLOCK: QuietClock = {
  now: () => performance.now(),
  later: (waitMs, work) => {
    const timer = setTimeout(work, waitMs)
    return () => {
      clearTimeout(timer)
    }
  },
}

/** When bytes went to a host: a blob whose turn has not come, because others are on their way, is not stuck. */
const movedAt = new WeakMap<RegistryHost, number>()

/**
 * Ends an upload of which nothing moves. Every single request and wait has its own limit; a registry that says "later"
 * again and again could keep a job waiting for longer than all of its work takes.
 */
export function watchQuiet(
  access: Access,
  descriptor: Descriptor,
  { mostMs, failure, clock = CLOCK, signal }: QuietOptions,
): Quiet {
  const { host } = access
  const stop = new AbortController()
  const beganAt = clock.now()
  const check = (): void => {
    const quietMs = clock.now() - Math.max(beganAt, movedAt.get(host) ?? -Infinity)
    if (quietMs >= mostMs) stop.abort(quietError(access, descriptor, mostMs, failure()))
    else callOff = clock.later(mostMs - quietMs, check)
  }
  let callOff = clock.later(mostMs, check)
  return {
    signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
    moved: () => {
      movedAt.set(host, clock.now())
    },
    end: () => {
      callOff()
    },
  }
}

function quietError(access: Access, { digest }: Descriptor, mostMs: number, cause: unknown): RegistryError {
  const { side, host, repository } = access
  const last: Partial<Refusal> = cause instanceof RegistryError ? cause : {}
  const { status = 0, codes = [], detail = '', requestId } = last
  const quiet = `no byte of it has moved for ${Math.round(mostMs / 60_000)} minutes`
  const refusal: Refusal = {
    ...{ side, host: host.name, repository, operation: `push blob ${digest}`, method: 'PUT' },
    url: new URL(access.path('blobs/uploads/'), host.base).href,
    ...{ status, codes, requestId, retriable: true },
    detail: detail === '' ? quiet : `${detail}; ${quiet}`,
  }
  const hint = 'try again later: what did arrive there is not sent again'
  return new RegistryError(refusal, { cause, hint })
}
