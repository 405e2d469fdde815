import { Budget } from '../budget.ts'

/** What a pull may write; an artifact may announce one blob under thousands of titles, and an archive may hold anything. */
export interface PullLimits {
  /** Bytes of all files together, unpacked. */
  readonly maxBytes: number
  /** Files, folders and links together. */
  readonly maxFiles: number
}

export const PULL_LIMITS: PullLimits = { maxBytes: 250e9, maxFiles: 100_000 }

/** What is left of the limits while one artifact is planned and written. */
export interface PullBudget {
  readonly bytes: Budget
  readonly files: Budget
}

export function pullBudget({ maxBytes, maxFiles }: PullLimits = PULL_LIMITS): PullBudget {
  const nothing = 'if you trust the artifact,'
  return {
    bytes: new Budget({ what: 'bytes to write', max: maxBytes, hint: `${nothing} --max-size allows more` }),
    files: new Budget({ what: 'files to write', max: maxFiles, hint: `${nothing} --max-files allows more` }),
  }
}
