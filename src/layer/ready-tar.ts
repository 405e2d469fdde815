import { statSync, type Stats } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf } from '../errors.ts'
import { fingerprintOfFile, isSettled, type Fingerprint } from './fingerprint.ts'
import type { TarSpec } from './line.ts'
import { walkedFile } from './scan.ts'

/** A ready tar as the system describes it. */
export interface ReadyTar {
  /** Absolute. */
  readonly file: string
  readonly fingerprint: Fingerprint
  /** Whether the fingerprint is good for the next run. */
  readonly settled: boolean
}

/** @param says gets what is wrong */
export function lookAtTar(spec: TarSpec, context: string, says: string[]): ReadyTar | undefined {
  const startedMs = Date.now()
  const file = resolve(context, spec.file)
  const stats = statOf(file, says)
  if (stats?.isFile() === false) says.push(`"${spec.file}" is not a file`)
  const walked = stats?.isFile() === true ? walkedFile(file, '', stats, says) : undefined
  return walked && { file, fingerprint: fingerprintOfFile(walked), settled: isSettled([walked], startedMs) }
}

function statOf(file: string, says: string[]): Stats | undefined {
  try {
    return statSync(file)
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    says.push(missing ? `there is no file ${file}` : `cannot look at ${file} (${messageOf(error)})`)
    return undefined
  }
}
