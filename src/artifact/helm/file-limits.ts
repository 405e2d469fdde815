import type { Findings } from './chart.ts'

/** helm 3 reads no chart with a larger file in it; helm 4 does. */
const MAX_FILE_BYTES = 5 << 20

/** Neither helm reads a chart with more in it. */
export const MAX_CHART_BYTES: number = 100 << 20

/** What helm takes away from the start of every file. */
export function withoutBom(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}

export interface FileLimits {
  /** Take what helm 4 reads and helm 3 does not. */
  readonly allowLargeFiles: boolean
}

/** Counts the files of one chart; each is asked about before it is read. */
export class FileBudget {
  readonly #where: string
  readonly #limits: FileLimits
  readonly #findings: Findings
  #left = MAX_CHART_BYTES

  constructor(where: string, limits: FileLimits, findings: Findings) {
    this.#where = where
    this.#limits = limits
    this.#findings = findings
  }

  /** Whether the file may be read; if not, it is a problem. */
  take(path: string, bytes: number): boolean {
    const { problems, warnings } = this.#findings
    const before = this.#left
    this.#left -= bytes
    if (this.#left < 0) {
      if (before >= 0) problems.push(`${this.#where}: more than 100 MiB of files: helm does not read such a chart`)
      return false
    }
    if (bytes <= MAX_FILE_BYTES) return true
    const large = `${this.#where}: ${path} has ${bytes} bytes; helm 3 reads no chart with a file of more than ${MAX_FILE_BYTES}`
    if (this.#limits.allowLargeFiles) warnings.push(large)
    else problems.push(`${large}: name it in .helmignore, or allow large files for the users of helm 4`)
    return this.#limits.allowLargeFiles
  }
}
