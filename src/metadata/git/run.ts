import type { Exec } from '../../exec.ts'

export interface GitOptions {
  readonly exec: Exec
  readonly env: NodeJS.ProcessEnv
  readonly signal?: AbortSignal | undefined
  /** What one call of git may take; a repository can make git wait for ever, with a pipe where a file should be. */
  readonly limitMs?: number | undefined
}

interface GitCall {
  /** The whole environment. */
  readonly env: NodeJS.ProcessEnv
  readonly input?: string
}

const DEFAULT_LIMIT_MS = 30_000
const MAX_OUTPUT_BYTES = 4 << 20

/**
 * What git prints; undefined where it fails, is missing, takes too long or prints too much. Nothing that git tells is worth
 * the publication.
 *
 * @throws the reason of `signal`
 */
export async function runGit(
  args: readonly string[],
  { env, input }: GitCall,
  { exec, signal, limitMs = DEFAULT_LIMIT_MS }: GitOptions,
): Promise<string | undefined> {
  const limit = AbortSignal.timeout(limitMs)
  try {
    const { exitCode, stdout } = await exec('git', ['--no-pager', ...args], {
      env,
      input,
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      maxOutputBytes: MAX_OUTPUT_BYTES,
    })
    return exitCode === 0 ? stdout : undefined
  } catch {
    signal?.throwIfAborted()
    return undefined
  }
}
