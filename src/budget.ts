import { OciPublishError } from './errors.ts'

export interface Limit {
  /** What is counted, in the plural, for the error: `files and directories in its layers`. */
  readonly what: string
  readonly max: number
  /** What to do about it. */
  readonly hint?: string | undefined
}

/**
 * How much of something may be read from outside. One budget is shared by everything that is read for the same purpose,
 * such as all layers of an image, so that many small things cannot do what one large thing may not.
 */
export class Budget {
  readonly #limit: Limit
  #spent = 0

  constructor(limit: Limit) {
    this.#limit = limit
  }

  /**
   * @param where names what is read, for the error
   * @throws {OciPublishError} TOO_LARGE as soon as more than the limit is spent
   */
  spend(amount: number, where: string): void {
    this.#spent += amount
    if (this.#spent > this.#limit.max) throw overLimit(where, this.#limit)
  }
}

/** The error that names a limit. */
export function overLimit(where: string, { what, max, hint }: Limit): OciPublishError {
  return new OciPublishError('TOO_LARGE', `${where}: more than ${max.toLocaleString('en-US')} ${what}`, { hint })
}
