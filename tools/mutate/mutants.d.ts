export interface Mutant {
  readonly file: string
  readonly start: number
  readonly end: number
  /** Replaces the text from start to end. */
  readonly text: string
  readonly mutator: string
  readonly line: number
  readonly within: string
}

export function mutantsOf(file: string, source: string): readonly Mutant[]
