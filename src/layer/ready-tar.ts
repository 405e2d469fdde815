import { lstatSync } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf, OciPublishError } from '../errors.ts'
import type { FileIdentity } from '../files/regular-file.ts'
import { resolveSource, type SourceOptions } from '../files/source-path.ts'
import { fingerprintOfFile, isSettled, type Fingerprint } from './fingerprint.ts'
import type { TarSpec } from './line.ts'
import { walkedFile } from './scan.ts'

/** A ready tar as the system describes it. */
export interface ReadyTar {
  /** Absolute, the real path. */
  readonly file: string
  readonly found: FileIdentity
  readonly fingerprint: Fingerprint
  /** Whether the fingerprint is good for the next run. */
  readonly settled: boolean
}

/** @param says gets what is wrong */
export function lookAtTar(spec: TarSpec, options: SourceOptions, says: string[]): ReadyTar | undefined {
  const startedMs = Date.now()
  try {
    const file = resolveSource(spec.file, options)
    if (file === undefined) says.push(`there is no file ${resolve(options.context, spec.file)}`)
    const stats = file === undefined ? undefined : lstatSync(file)
    if (stats?.isFile() === false) says.push(`"${spec.file}" is not a file`)
    if (file === undefined || stats?.isFile() !== true) return undefined
    const walked = walkedFile(file, '', stats, says)
    if (!walked) return undefined
    return { file, found: walked, fingerprint: fingerprintOfFile(walked), settled: isSettled([walked], startedMs) }
  } catch (error) {
    const path = resolve(options.context, spec.file)
    if (error instanceof OciPublishError) says.push(`${error.message}; ${error.hint ?? ''}`)
    else says.push(`cannot look at ${path} (${messageOf(error)})`)
    return undefined
  }
}
