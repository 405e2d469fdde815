/** Waits so long; an abort ends the wait with the signal's own reason. */
type Sleep = (waitMs: number, signal?: AbortSignal) => Promise<void>

export interface Clock {
  readonly now: () => number
  readonly sleep: Sleep
}

/**
 * Requests that send a body, and requests that do not, are counted apart: the source of an upload may be a download
 * from the same host, and uploads that hold every place while their sources wait for one would wait for ever.
 */
export type Lane = 'send' | 'ask'

/** A place at the gate. To be left when the request has its answer or has failed. */
export interface Pass {
  leave(): void
  /** The host answered without complaint. */
  served(): void
  /** The host said 429 or 503: nobody goes through for so long. */
  throttled(waitMs: number): void
}

/** Half the places after so many throttled requests in a row. */
const STRIKES = 2
/** One place more after so many served ones. */
const GOOD_RUN = 20

/**
 * The one way to a host. A host that throttles one request delays all of them, and gets fewer at a time until it serves
 * again; a back-off that each request keeps to itself would only let the next one run into the same wall.
 */
export class Gate {
  readonly #most: number
  readonly #clock: Clock
  #places: number
  #openFromMs = 0
  #strikes = 0
  #run = 0
  #entered = 0
  #narrowedAt = 0
  readonly #lanes: Record<Lane, { running: number; readonly waiting: (() => void)[] }> = {
    send: { running: 0, waiting: [] },
    ask: { running: 0, waiting: [] },
  }

  constructor(most: number, clock: Clock) {
    this.#most = most
    this.#places = most
    this.#clock = clock
  }

  /** How many requests of a lane may be under way at once. */
  get places(): number {
    return this.#places
  }

  async enter(lane: Lane, signal?: AbortSignal): Promise<Pass> {
    signal?.throwIfAborted()
    await this.#place(lane, signal)
    try {
      await this.#opening(signal)
      signal?.throwIfAborted()
    } catch (error) {
      this.#free(lane)
      throw error
    }
    const number = ++this.#entered
    let inside = true
    return {
      leave: () => {
        if (inside) this.#free(lane)
        inside = false
      },
      served: () => {
        this.#served()
      },
      throttled: waitMs => {
        this.#throttled(number, waitMs)
      },
    }
  }

  /** Again after every wait, if another request was told meanwhile to wait longer. */
  async #opening(signal: AbortSignal | undefined): Promise<void> {
    let waitedFor = -Infinity
    while (this.#openFromMs > waitedFor) {
      // What was slept for is over, whatever the clock says: one that stands still or is set back keeps nobody out.
      waitedFor = this.#openFromMs
      const waitMs = waitedFor - this.#clock.now()
      if (waitMs > 0) await this.#clock.sleep(waitMs, signal)
    }
  }

  async #place(lane: Lane, signal: AbortSignal | undefined): Promise<void> {
    const { running, waiting } = this.#lanes[lane]
    if (running < this.#places && waiting.length === 0) {
      this.#lanes[lane].running++
      return
    }
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        waiting.splice(waiting.indexOf(goOn), 1)
        reject(signal?.reason as Error)
      }
      const goOn = (): void => {
        signal?.removeEventListener('abort', giveUp)
        resolve()
      }
      waiting.push(goOn)
      signal?.addEventListener('abort', giveUp, { once: true })
    })
  }

  #free(lane: Lane): void {
    this.#lanes[lane].running--
    this.#fill(lane)
  }

  /** The place is taken on behalf of the waiting one: nobody can slip in between. */
  #fill(lane: Lane): void {
    const state = this.#lanes[lane]
    while (state.running < this.#places && state.waiting.length > 0) {
      state.running++
      state.waiting.shift()?.()
    }
  }

  #served(): void {
    this.#strikes = 0
    if (++this.#run < GOOD_RUN || this.#places >= this.#most) return
    this.#run = 0
    this.#places++
    this.#fill('send')
    this.#fill('ask')
  }

  #throttled(number: number, waitMs: number): void {
    this.#openFromMs = Math.max(this.#openFromMs, this.#clock.now() + waitMs)
    this.#run = 0
    // Those that were under way when the gate was narrowed say nothing about its new width.
    if (number <= this.#narrowedAt || ++this.#strikes < STRIKES) return
    this.#strikes = 0
    this.#narrowedAt = this.#entered
    this.#places = Math.max(1, Math.floor(this.#places / 2))
  }
}
