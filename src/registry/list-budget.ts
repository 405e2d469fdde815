import { OciPublishError } from '../errors.ts'

export interface ListLimits {
  readonly maxBytes: number
  readonly maxItems: number
  /** In words, for the error: `tags`. */
  readonly items: string
}

/** What all pages of a list may have together. Each page has a limit of its own; there may be many. */
export class ListBudget {
  readonly #where: string
  readonly #limits: ListLimits
  #bytes = 0
  #items = 0

  /** @param where names the list in the error */
  constructor(where: string, limits: ListLimits) {
    this.#where = where
    this.#limits = limits
  }

  /** @throws {OciPublishError} TOO_LARGE */
  bytes(more: number): void {
    this.#bytes += more
    if (this.#bytes > this.#limits.maxBytes) throw this.#tooLarge(`${this.#limits.maxBytes} bytes`)
  }

  /** @throws {OciPublishError} TOO_LARGE */
  items(more: number): void {
    this.#items += more
    if (this.#items > this.#limits.maxItems) throw this.#tooLarge(`${this.#limits.maxItems} ${this.#limits.items}`)
  }

  #tooLarge(limit: string): OciPublishError {
    return new OciPublishError('TOO_LARGE', `${this.#where}: the list has more than ${limit}`)
  }
}
