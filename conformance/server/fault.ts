/** Which request of all that are to come. */
export interface Match {
  readonly method?: string | undefined
  /** Tested against path and query; a text must be contained in them. */
  readonly path?: string | RegExp | undefined
  /** Counts the requests that match, from 1, after `fail` was called. Default 1. */
  readonly nth?: number | undefined
  /** How many in a row, from the nth on. Default 1. */
  readonly times?: number | undefined
  /** Instead of counting: how likely it is for each, from 0 to 1. */
  readonly chance?: number | undefined
}

/** What goes wrong with it. */
export type Fault =
  /** Another answer, without the work; with `early` before the request's body has been read. */
  | {
      readonly status: number
      readonly headers?: Readonly<Record<string, string>> | undefined
      readonly body?: string | undefined
      readonly early?: boolean | undefined
    }
  /** The connection is reset when so many bytes of the request's body have arrived. */
  | { readonly cutRequestAfter: number }
  /** The work is done, and the connection ends after so many bytes of the answer's body. */
  | { readonly cutResponseAfter: number }
  /** The work is done, and the connection ends without an answer. */
  | { readonly lostAnswer: true }
  /** The connection is reset at once. */
  | { readonly reset: true }
  /** There is never an answer. */
  | { readonly hang: true }
  /** The answer takes so long. */
  | { readonly slowMs: number }
  /** The answer's body ends after so many bytes, and Content-Length says that this is all. */
  | { readonly truncateTo: number }
  /** A byte of the answer's body is another one. */
  | { readonly damaged: true }
  /** Docker-Content-Digest names this. */
  | { readonly digestHeader: string }
  /** Location leads to the same place without its origin or with it, to another origin, into a private network, or nowhere. */
  | { readonly location: 'relative' | 'absolute' | 'elsewhere' | 'private' | 'none' }
  /** Sent on to another origin, with 307. */
  | { readonly redirect: 'elsewhere' }
  /** Every token given so far ends just before it. */
  | { readonly expireTokens: true }
  /** Every upload session is lost just before it. */
  | { readonly forgetUploads: true }
  /** What it makes shows after so many reads only. */
  | { readonly lagReads: number }
  /** The manifest that it pushes is lost from the list of its subject, as by another push at the same moment. */
  | { readonly unlisted: true }
  /** The manifest that it pushes is in the list of its subject after so many reads of that only. */
  | { readonly lagLists: number }
  /** Just before it somebody else points a tag of the repository at another image. */
  | { readonly moveTag: string }

/** The faults that are still to come, in the order in which they were asked for. */
export class FaultScript {
  readonly #rules: { readonly match: Match; readonly fault: Fault; seen: number }[] = []
  readonly #random: () => number

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  add(match: Match, fault: Fault): void {
    this.#rules.push({ match, fault, seen: 0 })
  }

  /** No more faults. */
  clear(): void {
    this.#rules.length = 0
  }

  /** Counts the request, and says what goes wrong with it. @param target path and query */
  next(method: string, target: string): Fault | undefined {
    const due = this.#rules.filter(rule => {
      if (!matches(rule.match, method, target)) return false
      const { nth = 1, times = 1, chance } = rule.match
      if (chance !== undefined) return this.#random() < chance
      rule.seen += 1
      return rule.seen >= nth && rule.seen < nth + times
    })
    return due[0]?.fault
  }
}

function matches({ method, path }: Match, actualMethod: string, target: string): boolean {
  if (method !== undefined && method !== actualMethod) return false
  return path === undefined || (typeof path === 'string' ? target.includes(path) : path.test(target))
}
