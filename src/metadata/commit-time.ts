import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { parse, parseJson } from '../parse.ts'
import { findCheckout } from './git/checkout.ts'
import { inIsolation } from './git/isolated.ts'
import { runGit, type GitOptions } from './git/run.ts'

/** A few kilobytes are usual; git holds all of it, which a small file can stand for. */
const MAX_COMMIT_BYTES = 1 << 20

/**
 * Seconds since 1970 of the commit that a directory is at; where it is no checkout, of the commit that a GitHub event is
 * about; undefined where neither is to be had. A time of the day would make every run another image.
 */
export async function commitTime(directory: string, options: GitOptions): Promise<number | undefined> {
  return (await ofCheckout(directory, options)) ?? (await ofEvent(options.env['GITHUB_EVENT_PATH']))
}

async function ofCheckout(directory: string, options: GitOptions): Promise<number | undefined> {
  const checkout = await findCheckout(directory, options)
  if (!checkout) return undefined
  return inIsolation(checkout, options.env, async env => {
    const size = await runGit(['cat-file', '-s', checkout.commit], { env }, options)
    if (size === undefined || Number(size) > MAX_COMMIT_BYTES) return undefined
    const commit = await runGit(['cat-file', 'commit', checkout.commit], { env }, options)
    return commit === undefined ? undefined : committed(commit)
  })
}

/** `committer A U Thor <author@example.com> 1700000000 +0100`, before the message (gitformat: object format, "commit"). */
function committed(commit: string): number | undefined {
  const [header = ''] = commit.split('\n\n', 1)
  const seconds = /^committer .*> (\d{1,12}) [+-]\d{4}$/m.exec(header)?.[1]
  return seconds === undefined ? undefined : Number(seconds)
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
