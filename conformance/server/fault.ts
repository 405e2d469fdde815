/** Which request of all that are to come. */
export interface Match {
  readonly method?: string | undefined
  /** Tested against path and query; a text must be contained in them. */
  readonly path?: string | RegExp | undefined
  /** Counts the requests that match, from 1, after `fail` was called. Default 1. */
  readonly nth?: number | undefined
  /** How many in a row, from the nth on. Default 1. */
  readonly times?: number | undefined
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

/** The faults that are still to come, in the order in which they were asked for. */
export class FaultScript {
  readonly #rules: { readonly match: Match; readonly fault: Fault; seen: number }[] = []

  add(match: Match, fault: Fault): void {
    this.#rules.push({ match, fault, seen: 0 })
  }

  /** Counts the request, and says what goes wrong with it. @param target path and query */
  next(method: string, target: string): Fault | undefined {
    const due = this.#rules.filter(rule => {
      if (!matches(rule.match, method, target)) return false
      const { nth = 1, times = 1 } = rule.match
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
