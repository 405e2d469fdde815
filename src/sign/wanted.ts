import { messageOf } from '../errors.ts'

/** A text, or a pattern that the whole of a text has to fit. */
export interface Wanted {
  /** As it was typed. */
  readonly text: string
  /** Anchored; undefined when the text itself is wanted. */
  readonly pattern: RegExp | undefined
}

export function wantedText(text: string): Wanted {
  return { text, pattern: undefined }
}

/**
 * A pattern for the whole text: what it leaves out is not let in at either end.
 *
 * @throws {Error} which says why it is none
 */
export function wantedPattern(text: string): Wanted {
  try {
    // By itself first: `a)|(b` would only be one between parentheses.
    RegExp(text)
    return { text, pattern: new RegExp(`^(?:${text})$`) }
  } catch (error) {
    throw new Error(`"${text}" is not a regular expression: ${messageOf(error)}`, { cause: error })
  }
}

export function fits({ text, pattern }: Wanted, given: string): boolean {
  return pattern ? pattern.test(given) : given === text
}
