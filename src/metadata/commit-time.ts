import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import type { Exec } from '../exec.ts'
import { parse, parseJson } from '../parse.ts'

export interface CommitTimeOptions {
  readonly env: NodeJS.ProcessEnv
  readonly exec: Exec
  readonly signal?: AbortSignal | undefined
}

/**
 * Seconds since 1970 of the commit that a directory is at; where it is no checkout, of the commit that a GitHub event is
 * about; undefined where neither is to be had. A time of the day would make every run another image.
 */
export async function commitTime(
  directory: string,
  { env, exec, signal }: CommitTimeOptions,
): Promise<number | undefined> {
  return (await ofCheckout(directory, exec, signal)) ?? (await ofEvent(env['GITHUB_EVENT_PATH']))
}

async function ofCheckout(directory: string, exec: Exec, signal: AbortSignal | undefined): Promise<number | undefined> {
  try {
    // In a job's container the checkout belongs to another user, which git does not trust by itself; a log is harmless.
    const args = ['-c', 'safe.directory=*', '-C', directory, 'log', '-1', '--format=%ct', '--no-show-signature']
    const { exitCode, stdout } = await exec('git', args, { signal })
    return exitCode === 0 && /^\d+\s*$/.test(stdout) ? Number(stdout) : undefined
  } catch {
    signal?.throwIfAborted()
    return undefined // no git
  }
}

const event: v.GenericSchema<unknown, { head_commit?: { timestamp?: string | undefined } | null | undefined }> =
  v.object({
    head_commit: v.nullish(v.object({ timestamp: v.optional(v.string()) })),
  })

async function ofEvent(path: string | undefined): Promise<number | undefined> {
  if (path === undefined || path === '') return undefined
  try {
    const { head_commit: commit } = parse(event, parseJson(await readFile(path), path), path)
    const time = Date.parse(commit?.timestamp ?? '')
    return Number.isNaN(time) ? undefined : Math.floor(time / 1000)
  } catch {
    return undefined
  }
}
