import type { Abortable } from '../async/abortable.ts'
import { InputError, type InputProblem } from '../errors.ts'
import { readRegularFile } from '../files/regular-file.ts'
import type { FoundFile } from './find-files.ts'
import { isSbomType } from './sbom-type.ts'

/** Larger ones would be held in memory to be checked, and take longer to check than to send. */
const MAX_CHECKED_BYTES = 64 << 20

/** How many of the things that are wrong with one document are told. */
const MAX_TOLD = 5

export interface CheckSbomsOptions extends Abortable {
  /** Media type that a file is attached as. */
  readonly typeOf: (file: FoundFile) => string | undefined
  /** Told what was not checked. */
  readonly onNotice: (text: string) => void
}

/**
 * Holds the files that are attached as SBOMs against their specifications, before anything is sent: who looks for SBOMs
 * later finds one that can be read.
 *
 * @throws {InputError} with what is wrong with each
 */
export async function checkAttachedSboms(
  files: readonly FoundFile[],
  { typeOf, onNotice, signal }: CheckSbomsOptions,
): Promise<void> {
  const problems: InputProblem[] = []
  for (const file of files) {
    const expected = typeOf(file)
    if (file.entries || expected === undefined || !isSbomType(expected)) continue
    if (file.size > MAX_CHECKED_BYTES) {
      onNotice(`${file.path} is attached without a check: it has ${file.size} bytes`)
      continue
    }
    const { checkSbom } = await import('./sbom/check-sbom.ts') // its schemas are large
    signal?.throwIfAborted()
    const bytes = await readRegularFile(file.absolutePath, MAX_CHECKED_BYTES, file.found)
    const { artifactType, form, problems: found } = await checkSbom(bytes)
    if (artifactType !== undefined && artifactType !== expected) {
      const problem = `${file.path} is ${form ?? artifactType}, not ${expected}`
      problems.push({ input: 'files', problem, hint: `attach it as ${artifactType}` })
    } else if (form === 'SPDX-3') {
      onNotice(`${file.path}: ${found.join(', ')}`)
    } else {
      problems.push(
        ...found.slice(0, MAX_TOLD).map(problem => ({ input: 'files', problem: `${file.path}: ${problem}` })),
      )
    }
  }
  if (problems.length > 0) throw new InputError(problems)
}
